export {
  type AttachOptions,
  type Channel,
  type Link,
  type LinkOptions,
  openLink,
  type Priority,
} from './link.ts'
