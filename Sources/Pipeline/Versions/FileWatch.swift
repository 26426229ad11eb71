internal import Glibc

/// By what a changed file is told from the one that was read: it is enough to look at, and misses nothing that a person or a
/// deployment does.
public struct FileIdentity: Sendable, Hashable {
  /// When it was last written, in nanoseconds since 1970.
  public var modified: Int64
  /// Bytes.
  public var size: Int64
  /// Its number on its file system: another one where a file was moved into its place.
  public var inode: UInt64

  /// An identity.
  public init(modified: Int64, size: Int64, inode: UInt64) {
    self.modified = modified
    self.size = size
    self.inode = inode
  }

  /// That of the file at a path; nil where there is none that can be looked at. A symbolic link is followed.
  public init?(path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    modified = Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec)
    size = Int64(status.st_size)
    inode = UInt64(status.st_ino)
  }
}

/// Decides when changed files are read: once they differ from what was read and have stood still from one look to the next, so
/// that a file in the middle of being written is left alone.
public struct FileWatch: Sendable {
  private var read: [String: FileIdentity]
  private var seen: [String: FileIdentity]

  /// A watch over files that have just been read; a file that is not there has no entry.
  public init(read: [String: FileIdentity]) {
    self.read = read
    seen = read
  }

  /// Takes a look; to be called about once a second.
  ///
  /// - Returns: whether the files should be read now.
  public mutating func look(_ now: [String: FileIdentity]) -> Bool {
    defer { seen = now }
    return now != read && now == seen
  }

  /// Notes that the files were read as they were at this look, whatever came of it: a mistake in them is told once.
  public mutating func note(read now: [String: FileIdentity]) {
    read = now
    seen = now
  }

  /// A look at some files.
  public static func identities(_ paths: some Sequence<String>) -> [String: FileIdentity] {
    var found: [String: FileIdentity] = [:]
    for path in paths { found[path] = FileIdentity(path: path) }
    return found
  }
}
