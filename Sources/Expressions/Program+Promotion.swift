public import Events

extension Program {
  /// The same value as another type, where it is a number that was written or a parameter: the first mercy, for a value that
  /// stands alone. Nil where it is anything else, or can't be that type.
  public func promoted(to type: ColumnType) -> Program? {
    let opposite = Node(.constant(.null), ValueType(type), like: node)
    let promoted = Promotion.promote(.equal, node, opposite).0
    guard promoted.type.column == type else { return nil }
    return Program(text: text, node: promoted, warnings: warnings)
  }
}

extension Program {
  /// The same texts in the form in which fields of a type hold theirs; where a text is none of the kind, it has no value.
  /// Nil where that is known beforehand.
  public func inForm(_ form: TextForm) -> Program? {
    guard let node = TextForms.bring(node, into: form, isStrict: true) else { return nil }
    return Program(text: text, node: node, warnings: warnings)
  }
}
