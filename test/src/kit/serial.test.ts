import assert from 'node:assert/strict'
import { constants, existsSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { test } from 'node:test'
import { plugSerialPort } from './serial.ts'

test('what is written to one end arrives at the other, also after it was pulled out and replugged', async () => {
  const port = await plugSerialPort()
  try {
    await passes(port.path, port.farPath, 'hello')
    await port.unplug()
    assert.equal(existsSync(port.path), false)
    await port.replug()
    await passes(port.farPath, port.path, 'again')
  } finally {
    await port.close()
  }
})

/** Not as the controlling terminal: its hang-up would end this process. */
const FLAGS = constants.O_RDWR | constants.O_NOCTTY

async function passes(from: string, to: string, text: string): Promise<void> {
  const [writer, reader] = await Promise.all([open(from, FLAGS), open(to, FLAGS)])
  try {
    await writer.write(text)
    const { buffer, bytesRead } = await reader.read(Buffer.alloc(64), 0, 64, null)
    assert.equal(buffer.subarray(0, bytesRead).toString(), text)
  } finally {
    await writer.close()
    await reader.close()
  }
}
