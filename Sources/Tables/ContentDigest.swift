import Events

/// The SHA-256 of a list's files, one after the other, as `sha256:` and lower-case hex digits.
func contentVersion(_ files: [[UInt8]]) -> String { "sha256:" + SHA256.hexDigits(SHA256.digest(files)) }
