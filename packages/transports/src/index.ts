export {
  type AttachOptions,
  type Channel,
  type Link,
  type LinkOptions,
  nameOf,
  openLink,
  type Priority,
} from './link.ts'
