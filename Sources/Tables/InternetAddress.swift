import Glibc

/// The canonical text (RFC 5952) of an IPv4 or IPv6 address; nil where the text is neither.
func canonicalAddress(ip text: String) -> String? {
  let family = text.utf8.contains(UInt8(ascii: ":")) ? AF_INET6 : AF_INET
  var binary = in6_addr()
  guard !text.utf8.contains(0), inet_pton(family, text, &binary) == 1 else { return nil }
  var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
  guard inet_ntop(family, &binary, &buffer, socklen_t(buffer.count)) != nil else { return nil }
  return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}
