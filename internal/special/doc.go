// Package special computes the special functions of the customer-value models in logarithms: digamma and trigamma,
// differences of log-gamma, log-beta and their derivatives that do not cancel, incomplete beta and gamma functions,
// Gauss's and Tricomi's hypergeometric functions, and adaptive quadrature of integrands given by their logarithms.
//
// Arguments outside a function's domain give NaN; no function panics or fails to return.
package special
