/** Why records of Python's SocketHandler and DatagramHandler are not read. */
export const PICKLE_REFUSED =
  'sends pickled records (SocketHandler or DatagramHandler): whoever reads such a record runs the code in it, so golem ' +
  "does not. Use Python's HTTPHandler, or SysLogHandler, instead"

/**
 * Is it what SocketHandler and DatagramHandler send: a length in four bytes and the pickle of a dict? Nothing of it is read.
 *
 * @param bytes - the first of a connection, or a datagram
 */
export function isPickle(bytes: Uint8Array): boolean {
  // Protocol 1, as these handlers write it, begins with an empty dict; later ones with their number.
  return bytes.length > 5 && bytes[0] === 0 && (bytes[4] === 0x7d || bytes[4] === 0x80)
}
