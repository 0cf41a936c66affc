// Writes orders.parquet with hyparquet-writer, a writer that shares no code with the reader under test:
//
//	npm install hyparquet-writer && node orders.mjs
import { parquetWriteFile } from 'hyparquet-writer'

parquetWriteFile({
  filename: 'orders.parquet',
  rowGroupSize: 2,
  columnData: [
    { name: 'note', data: ['x', null, 'y', null, 'z'], type: 'STRING' },
    { name: 'customer', data: ['Zoë', 'a', 'a', '名', 'a'], type: 'STRING' },
    { name: 'at', data: ['1969-12-31T23:59:59.999Z', '2025-03-01T00:00:00Z', '2025-03-01T21:30:00Z', '2025-03-02T00:00:00Z', '2025-12-31T23:59:59Z'].map(t => new Date(t)), type: 'TIMESTAMP' },
    { name: 'amount', data: [1999n, -5n, 0n, 9007199254740993n, 100n], type: 'INT64' },
    { name: 'currency', data: ['EUR', null, 'eur', 'EUR', null], type: 'STRING' },
  ],
})
