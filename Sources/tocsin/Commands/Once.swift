import Synchronization

/// Tells the first asker from all later ones.
final class Once: Sendable {
  private let wasAsked = Atomic<Bool>(false)

  /// True once.
  func first() -> Bool { !wasAsked.exchange(true, ordering: .acquiringAndReleasing) }
}
