/**
 * libnftables waits with select(2), which knows 1,024 descriptors: for a higher one the C library ends the whole process. So whatever we
 * open by the hundred, sockets in containers' namespaces, is moved above, and the low ones are left to it.
 */

/** FD_SETSIZE of select(2), the same everywhere. */
export const LOW_DESCRIPTORS = 1024;

/** F_DUPFD_CLOEXEC of fcntl(2) on Linux. */
export const DUPLICATE_FROM = 1030;

export type DescriptorCalls = {
  /** fcntl(fd, F_DUPFD_CLOEXEC, lowest): the new descriptor, negative where there is none. */
  duplicateFrom(fd: number, lowest: number): number;
  close(fd: number): number;
};

/** The same open file by a high number. Where the limit of open files leaves no room above, it stays where it is. */
export function moveHigh(calls: DescriptorCalls, fd: number): number {
  if (fd < 0 || fd >= LOW_DESCRIPTORS) return fd;
  const high = calls.duplicateFrom(fd, LOW_DESCRIPTORS);
  if (high < 0) return fd;
  calls.close(fd);
  return high;
}
