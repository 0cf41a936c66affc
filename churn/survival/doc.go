// Package survival says how long customers stay and what makes them leave, from tenures of which some have not ended.
package survival
