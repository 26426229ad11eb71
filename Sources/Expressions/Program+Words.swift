extension Program {
  /// The words of its text, as they are written: blanks between them and comments are left out, so that two texts which differ
  /// in nothing else have the same words.
  public var words: [String] {
    let bytes = Array(text.utf8)
    // A text that was compiled can be cut into words.
    let tokens = (try? Lexer.tokens(text)) ?? []
    return tokens.filter { $0.kind != .end }.map { token in
      String(decoding: bytes[token.offset..<(token.offset + token.length)], as: UTF8.self)
    }
  }

  /// The names of the parameters that it reads, as they stand in its text: `params.NAME`.
  public var parameters: Set<String> {
    let words = words
    var names: Set<String> = []
    for place in words.indices.dropLast(2) where words[place] == "params" && words[place + 1] == "." {
      names.insert(words[place + 2])
    }
    return names
  }

  /// Places of the tables that it asks, each once, in rising order.
  public var tables: [Int] { Set(tableKeys.map(\.table)).sorted() }
}
