import type { ArchiveServer } from '@golem/archive'
import type { Site } from '@golem/config'
import { messageOf } from '@golem/core'
import { existsSync, statSync, statfsSync } from 'node:fs'
import path from 'node:path'
import { type Finding, fault, ok, warning } from './finding.ts'
import { judgeDisk } from './machine.ts'

/** File systems that lie on another machine, by their number. Source: statfs(2). */
const REMOTE: Readonly<Record<number, string>> = {
  0x6969: 'NFS',
  0x517b: 'SMB',
  0xff534d42: 'CIFS',
  0xfe534d42: 'SMB2',
  0x65735546: 'FUSE',
  0x01021997: '9p',
}

/** Is there a place where readings can be kept? */
export async function examineArchive(site: Site | null): Promise<Finding[]> {
  if (!site) return []
  if (site.archive === null) return [ok('archive', 'the site keeps none ("archive: false").')]
  const { place } = site.archive
  if (/^postgres(ql)?:/.test(place)) return examineServer(place)
  const folder = nearestFolder(path.dirname(place))
  const { type, bavail, bsize } = statfsSync(folder)
  const remote = REMOTE[type]
  const size = existsSync(place)
    ? `${(statSync(place).size / 1e6).toFixed(0)} MB in ${place}.`
    : `${place} is not there yet: the archiver makes it.`
  const room = judgeDisk(folder, bavail * bsize)
  return [
    ok('archive', size),
    ...(remote === undefined
      ? []
      : [
          warning(
            'archive',
            `${folder} is on ${remote}, another machine's disk: SQLite is not safe there.`,
            'Put it on a disk of this machine, or use PostgreSQL: "archive: place" in the site file.',
          ),
        ]),
    ...(room.level === 'ok' ? [] : [{ ...room, subject: 'archive' }]),
  ]
}

/** What is there of a path. */
function nearestFolder(folder: string): string {
  return existsSync(folder) ? folder : nearestFolder(path.dirname(folder))
}

async function examineServer(place: string): Promise<Finding[]> {
  const { examineArchiveServer } = await import('@golem/archive')
  try {
    return judgeServer(await examineArchiveServer(place))
  } catch (error) {
    return [
      fault(
        'archive',
        messageOf(error),
        'See "archive: place" in the site file and GOLEM_ARCHIVE, and deploy/README.md.',
      ),
    ]
  }
}

/** Can the server hold the archive? */
export function judgeServer(server: ArchiveServer): Finding[] {
  const { version, user, encoding, sizeBytes, tables, mayWrite, hasTimescale } = server
  const is = `PostgreSQL ${version}${hasTimescale ? ' with TimescaleDB' : ''} answers`
  if (encoding !== 'UTF8') {
    const advice = 'Make it anew: createdb --template template0 --encoding UTF8 --owner golem golem'
    return [fault('archive', `${is}; the encoding of the database is ${encoding}, and not UTF8.`, advice)]
  }
  const holds = tables === undefined ? 'the archiver makes the tables' : `${(sizeBytes / 1e6).toFixed(0)} MB`
  return [
    ok('archive', `${is}; ${holds}.`),
    ...(mayWrite
      ? []
      : [
          warning(
            'archive',
            `${user} may not write there.`,
            'That will do for web processes; the archiver needs the owner of the database in GOLEM_ARCHIVE.',
          ),
        ]),
  ]
}
