const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of its path is not a directory',
  ELOOP: 'its symbolic links form a loop',
  ENAMETOOLONG: 'its name is too long',
  EFBIG: 'it is too large',
  ETIMEDOUT: 'timed out after 30 s reading from a pipe',
  ABORT_ERR: 'interrupted',
  EAGAIN: 'there is nothing in it yet',
}

/** The reason for a file system error, without the path: that may be a secret put into the wrong variable. */
export function fileErrorReason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
  return REASONS[code] ?? code
}
