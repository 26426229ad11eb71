internal import Events

/// Texts that are compared with addresses, or looked up among them, must be in the form in which those are held: a text in
/// another one would never be equal to them.
extension Checker {
  /// Both sides of an equality in the form of the one that has one; nil: a constant is none of the kind, and it was told.
  mutating func inOneForm(_ a: Node, _ b: Node) -> (Node, Node)? {
    guard let first = a.form == .plain ? inForm(b.form, a) : a, let second = b.form == .plain ? inForm(a.form, b) : b
    else { return nil }
    return (first, second)
  }

  /// Both sides of a `:`: a constant that is none of the kind is a word of its own ('none'), and stays as it is.
  func choicesInOneForm(_ a: Node, _ b: Node) -> (Node, Node) {
    func choice(_ node: Node, _ form: TextForm) -> Node {
      guard node.form == .plain, wrongText(node.constant, form) == nil else { return node }
      return TextForms.bring(node, into: form, isStrict: false) ?? node
    }
    return (choice(a, b.form), choice(b, a.form))
  }

  /// A text, or the texts of a list, in a form; nil: a constant is none of the kind, and it was told.
  mutating func inForm(_ form: TextForm, _ node: Node) -> Node? {
    if let text = wrongText(node.constant, form) {
      return form == .ip
        ? fail(
          node, "`\(text)` is no IPv4 or IPv6 address, so nothing is equal to it",
          hint: text.contains("/") ? "one address stands here; blocks are not supported by this version" : nil)
        : fail(node, "`\(text)` is no address: it has a character that no address has, so nothing is equal to it")
    }
    return TextForms.bring(node, into: form, isStrict: false)
  }

  /// A text of a constant that no text of the form is equal to.
  private func wrongText(_ value: Value?, _ form: TextForm) -> String? {
    switch value {
    case .string(let text)?:
      switch form {
      case .plain: nil
      case .address: text.utf8.allSatisfy(AddressNormaliser.canHold) ? nil : text
      case .ip: form.normalised(text) == nil ? text : nil
      }
    case .list(let elements)?: elements.lazy.compactMap { wrongText($0, form) }.first
    default: nil
    }
  }

  // MARK: Membership

  mutating func membership(_ left: Syntax, _ right: Syntax, _ syntax: Syntax) -> Node? {
    if let number = tableNumber(right) {
      guard let key = tableKey(left, environment.tables[number]) else { return nil }
      return Node(.inTable(number, key: key, field: key.field?.name), .bool, syntax)
    }
    let element = node(left)
    let collection = collection(right, asked: element)
    guard let element, var target = collection else { return nil }
    target = Promotion.promoted(target, opposite: .list(element.type))
    var asked = element
    if case .list(let type) = target.type { asked = Promotion.promoted(element, opposite: type) }
    guard let (first, second) = inOneForm(asked, target) else { return nil }
    return operation(.isIn, [first, second], syntax)
  }

  /// What stands right of `in`: what is written there is checked piece by piece, each where it stands.
  private mutating func collection(_ syntax: Syntax, asked element: Node?) -> Node? {
    guard let element else { return node(syntax) }
    switch syntax.kind {
    case .list(let elements):
      let nodes = elements.map { node($0) }
      // A number that is asked for is what the fields among the elements make it.
      let asked = nodes.reduce(element) { asked, node in
        node.map { Promotion.promoted(asked, opposite: $0.type) } ?? asked
      }
      return list(nodes.map { $0.flatMap { self.element($0, of: asked) } }, syntax)
    case .map(let entries): return map(entries, syntax, form: element.form)
    case .identifier(let name): return resolve(name, syntax, isCollection: true)
    default: return node(syntax)
    }
  }

  /// An element of a list that is written, as it is compared with what is asked.
  private mutating func element(_ node: Node, of asked: Node) -> Node? {
    let node = Promotion.promoted(node, opposite: asked.type)
    let types = [asked.type, node.type]
    // Other types than these are equal across by their value, or never, as CEL has it.
    if case .double = types[0], case .decimal = types[1] { return incomparable(node, types) }
    if case .decimal = types[0], case .double = types[1] { return incomparable(node, types) }
    return node.form == .plain ? inForm(asked.form, node) : node
  }

  private mutating func incomparable(_ node: Node, _ types: [ValueType]) -> Node? {
    fail(node, "there is no `\(types[0].name) == \(types[1].name)`", hint: Promotion.hint(.equal, types))
  }
}
