import Glibc

/// Why a file could not be taken in.
enum FileError: Error {
  case unreadable(String)
  case tooLarge(String)
}

/// Reads a whole regular file of at most `limit` bytes. A device or a pipe is refused: it might never end.
func readFile(_ path: String, limit: Int) throws(FileError) -> [UInt8] {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
  if descriptor < 0 { throw .unreadable(lastError()) }
  defer { _ = close(descriptor) }
  let before = try status(descriptor)
  if before.st_mode & S_IFMT != S_IFREG {
    throw .unreadable("it is not a regular file: name the list itself")
  }
  let size = Int(before.st_size)
  if size > limit {
    throw .tooLarge(
      "\(size) bytes are more than the limit of \(limit): raise the table's limit of bytes if that is right")
  }
  let bytes = try readAll(descriptor, size)
  let after = try status(descriptor)
  if bytes.count != size || after.st_size != before.st_size || after.st_mtim.tv_nsec != before.st_mtim.tv_nsec {
    throw .unreadable("it changed while it was read: write a new list under another name, then rename it")
  }
  return bytes
}

/// Whether a regular file stands at `path`.
func fileExists(_ path: String) -> Bool {
  var status = stat()
  return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
}

private func status(_ descriptor: Int32) throws(FileError) -> stat {
  var status = stat()
  if fstat(descriptor, &status) != 0 { throw .unreadable(lastError()) }
  return status
}

/// Reads `size` bytes, fewer where the file ends before, one more where it has grown.
private func readAll(_ descriptor: Int32, _ size: Int) throws(FileError) -> [UInt8] {
  var failure: FileError?
  let bytes = [UInt8](unsafeUninitializedCapacity: size + 1) { buffer, count in
    while count <= size {
      let got = read(descriptor, buffer.baseAddress! + count, size + 1 - count)
      if got < 0 && errno == EINTR { continue }
      if got < 0 { failure = .unreadable(lastError()) }
      if got <= 0 { return }
      count += got
    }
  }
  if let failure { throw failure }
  return bytes
}

private func lastError() -> String { String(cString: strerror(errno)) }
