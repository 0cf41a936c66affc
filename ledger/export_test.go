package ledger

import "database/sql"

// OpenTable is a database of one table, which every query returns.
func OpenTable(text string) *sql.DB { return sql.OpenDB(tableOf(text)) }
