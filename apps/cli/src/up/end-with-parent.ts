/**
 * Loaded into each program that `golem up` starts, before the program itself: when `golem up` is gone without having
 * said so (kill -9, out of memory), the program ends as if it had been told to, and is killed if it does not.
 */

/** How long a program may take to end in order once nobody supervises it, in ms. */
const GRACE_MS = 5000

process.on('disconnect', () => {
  process.kill(process.pid, 'SIGTERM')
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), GRACE_MS).unref()
})
// To listen must not keep a program alive that has nothing left to do.
process.channel?.unref()
