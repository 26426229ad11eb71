internal import Events

/// Brings texts into the form in which fields of a type hold theirs.
enum TextForms {
  /// A text, or the texts of a list; all else is left alone.
  ///
  /// - Parameter isStrict: a text that is none of the kind is an error; else it stays as it is.
  static func normalise(_ value: Value, _ form: TextForm, _ isStrict: Bool) throws(EvaluationError) -> Value {
    switch value {
    case .string(let text):
      if let normalised = form.normalised(text) { return .string(normalised) }
      if isStrict { throw EvaluationError("`\(text)` is no IPv4 or IPv6 address") }
      return value
    case .list(let elements):
      var normalised: [Value] = []
      for element in elements { normalised.append(try normalise(element, form, isStrict)) }
      return .list(normalised)
    default: return value
    }
  }

  /// What gives the texts of a node in a form; nil where a constant is none of the kind, and `isStrict`.
  static func bring(_ node: Node, into form: TextForm, isStrict: Bool) -> Node? {
    guard form != .plain, node.form != form, hasTexts(node.type) else { return node }
    guard let value = node.constant else {
      return Node(.inForm(form, node, isStrict: isStrict), node.type, like: node, form: form)
    }
    guard let value = try? normalise(value, form, isStrict) else { return nil }
    return Node(.constant(value), node.type, like: node, isLiteral: node.isLiteral, form: form)
  }

  static func hasTexts(_ type: ValueType) -> Bool {
    switch type {
    case .string, .dyn: true
    case .list(let element): hasTexts(element)
    default: false
    }
  }
}
