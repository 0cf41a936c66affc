package money

// entrySize is the length of an entry of currencies: three letters and the digit of the minor unit, '-' for none.
const entrySize = 4

// currencies is the table of ISO 4217: by first letter, the codes in alphabetical order, each followed by the number of
// digits of its minor unit. It holds the codes in force (tables A.1 of ISO 4217 up to the changes of 2025: SLE, VED, ZWG
// and XCG included) and those withdrawn since about 1999 (DEM, HRK, ANG, ZWL ...), so that old logs can still be read.
//
// Source: ISO 4217, the list of codes in force and the list of withdrawn codes, as facts on which OpenJDK 17, Debian's
// iso-codes 4.15, CLDR, Joda-Money, RubyMoney and dinero.js agree. MGA and MRU have 2 digits in ISO although their
// sub-unit is a fifth. The minor units of withdrawn codes are those that OpenJDK 17 reports.
var currencies = [26]string{
	'A' - 'A': "ADP0AED2AFA2AFN2ALL2AMD2ANG2AOA2ARS2ATS2AUD2AWG2AYM2AZM2AZN2",
	'B' - 'A': "BAM2BBD2BDT2BEF0BGL2BGN2BHD3BIF0BMD2BND2BOB2BOV2BRL2BSD2BTN2BWP2BYB0BYN2BYR0BZD2",
	'C' - 'A': "CAD2CDF2CHE2CHF2CHW2CLF4CLP0CNY2COP2COU2CRC2CSD2CUC2CUP2CVE2CYP2CZK2",
	'D' - 'A': "DEM2DJF0DKK2DOP2DZD2",
	'E' - 'A': "EEK2EGP2ERN2ESP0ETB2EUR2",
	'F' - 'A': "FIM2FJD2FKP2FRF2",
	'G' - 'A': "GBP2GEL2GHC2GHS2GIP2GMD2GNF0GRD0GTQ2GWP2GYD2",
	'H' - 'A': "HKD2HNL2HRK2HTG2HUF2",
	'I' - 'A': "IDR2IEP2ILS2INR2IQD3IRR2ISK0ITL0",
	'J' - 'A': "JMD2JOD3JPY0",
	'K' - 'A': "KES2KGS2KHR2KMF0KPW2KRW0KWD3KYD2KZT2",
	'L' - 'A': "LAK2LBP2LKR2LRD2LSL2LTL2LUF0LVL2LYD3",
	'M' - 'A': "MAD2MDL2MGA2MGF0MKD2MMK2MNT2MOP2MRO2MRU2MTL2MUR2MVR2MWK2MXN2MXV2MYR2MZM2MZN2",
	'N' - 'A': "NAD2NGN2NIO2NLG2NOK2NPR2NZD2",
	'O' - 'A': "OMR3",
	'P' - 'A': "PAB2PEN2PGK2PHP2PKR2PLN2PTE0PYG0",
	'Q' - 'A': "QAR2",
	'R' - 'A': "ROL0RON2RSD2RUB2RUR2RWF0",
	'S' - 'A': "SAR2SBD2SCR2SDD2SDG2SEK2SGD2SHP2SIT2SKK2SLE2SLL2SOS2SRD2SRG2SSP2STD2STN2SVC2SYP2SZL2",
	'T' - 'A': "THB2TJS2TMM2TMT2TND3TOP2TPE0TRL0TRY2TTD2TWD2TZS2",
	'U' - 'A': "UAH2UGX0USD2USN2USS2UYI0UYU2UYW4UZS2",
	'V' - 'A': "VEB2VED2VEF2VES2VND0VUV0",
	'W' - 'A': "WST2",
	'X' - 'A': "XAF0XAG-XAU-XBA-XBB-XBC-XBD-XCD2XCG2XDR-XFO-XFU-XOF0XPD-XPF0XPT-XSU-XTS-XUA-XXX-",
	'Y' - 'A': "YER2YUM2",
	'Z' - 'A': "ZAR2ZMK2ZMW2ZWD2ZWG2ZWL2ZWN2ZWR2",
}
