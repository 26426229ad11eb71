import Synchronization

/// Something that happens once.
final class Flag: Sendable {
  private let isRaised = Atomic(false)

  /// True for the first caller only.
  func raise() -> Bool {
    isRaised.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged
  }
}
