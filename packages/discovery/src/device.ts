/** Something that could be an instrument, as it was found. */
export interface FoundDevice {
  /** serial: an adapter or port; usbtmc, hid: a device file; esphome, lxi: announced in the network; tcp: answers there. */
  kind: 'serial' | 'usbtmc' | 'hid' | 'esphome' | 'lxi' | 'tcp'
  /** As site.yaml takes it. */
  address: string
  /** What it says of itself: adapter, maker and product, or its name in the network. */
  label: string
  /** Its device file, where it has one. */
  file?: string
  /** Its answer to `*IDN?`, where it was asked. */
  idn?: string
  /** What one should know before using it, as a sentence. */
  note?: string
}
