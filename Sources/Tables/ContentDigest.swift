import CCrypto

/// The SHA-256 of a list's files, one after the other, as `sha256:` and lower-case hex digits.
func contentVersion(_ files: [[UInt8]]) -> String? {
  guard let context = EVP_MD_CTX_new() else { return nil }
  defer { EVP_MD_CTX_free(context) }
  guard EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else { return nil }
  for file in files {
    let isTaken = file.withUnsafeBytes { EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
    if isTaken != 1 { return nil }
  }
  var digest = [UInt8](repeating: 0, count: 32)
  var count: UInt32 = 32
  guard EVP_DigestFinal_ex(context, &digest, &count) == 1 else { return nil }
  let digits = Array("0123456789abcdef".utf8)
  var text = Array("sha256:".utf8)
  for byte in digest { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
  return String(decoding: text, as: UTF8.self)
}
