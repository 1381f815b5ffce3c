import Fastify from 'fastify'

// What the polls are compared with: the least a web process of this kind can do. Run by polls.ts as a process of its own.
const app = Fastify()
app.get('/', () => ({}))
const url = await app.listen({ host: '127.0.0.1', port: 0 })
process.send?.({ ready: true, url })
