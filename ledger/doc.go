// Package ledger has what every metric starts from: the records of a business, the calendar that cuts them into
// periods, and the readers that get them out of CSV files and SQL databases.
//
// # Records
//
// A [Transaction] is one line of an order log, an [Event] something else that happened to a customer, a [Customer] what
// is known of one apart from the orders, and a [Tenure] a time under observation, for survival. They are plain structs:
// fill them as you like, or read them.
//
//	seq := ledger.ReadCSV(ctx, file, &ledger.CSVOptions{Currency: "EUR"})
//	for t, err := range seq {
//		...
//	}
//
// # Streams
//
// Records travel as iter.Seq2[T, error], so that a log need not fit into memory. Each element is a record or an error.
// After a [*RowError], which names the row, the field, the value and the reason, the stream goes on with the next row;
// after any other error it ends. Functions that take a stream stop at the first error; wrap it in [Skip] to leave bad
// rows out and be told of each. [Transactions] and [Slice] make a stream of a slice, [Collect] a slice of a stream, and
// [Map] changes every element, [Filter] keeps some; [Convert] brings transactions to one currency.
//
// A stream of a reader can be ranged over once. A second pass gives [ErrConsumed] and not an empty log.
//
// # Readers
//
// [ReadCSV] reads transactions, [ReadCustomers], [ReadEvents] and [ReadTenures] the other records, and [ReadRecords]
// anything with a [Schema] and a function of a [Record]. Each has its twin over database/sql: [TransactionsFromRows],
// [FromRows] and so on. [CSVOptions] says how a file is written: names of columns, separator, layouts and location of
// dates, decimal mark and digit groups, minor units, currency. Nothing is guessed: a number or a date that is not
// written as the options say is an error of its row.
//
// # Periods
//
// A [Period] is half-open, [Start, End). [Day], [Week], [Month], [Quarter] and [Year] are those of a calendar in a
// location, and [Days], [Weeks] and [Months] cut a stretch of time into them without gaps or overlaps. [AddMonths] counts
// months from an anchor day, with the ends of months clamped.
//
// # Groups
//
// A [Key] gives each customer its group; [By] makes one of any attribute of the customers.
package ledger
