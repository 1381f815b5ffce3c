export { TestSocket } from './push/test-socket.ts'
