// PostgreSQL with pgvector behind a socket on a free port of the loopback: it
// prints "port N" and serves one connection at a time until its input ends.
import { PGlite } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'

const db = await PGlite.create({ extensions: { vector } })
await db.exec('CREATE EXTENSION vector')
const server = new PGLiteSocketServer({ db, host: '127.0.0.1', port: 0 })
server.addEventListener('listening', (e) => console.log('port', e.detail.port))
await server.start()
process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
