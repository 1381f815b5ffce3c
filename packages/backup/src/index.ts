export { BackupError, backupName, type Manifest } from './manifest.ts'
export { checkBackup } from './read-backup.ts'
export { type BackupOptions, writeBackup } from './write-backup.ts'
export { type RestoreOptions, type Restored, restoreBackup } from './restore.ts'
