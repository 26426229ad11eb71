/// Tells a login that is refused from one that broke off. librdkafka says the same of a wrong password, of a connection that was
/// lost in the middle of a login, and of a token that could not be renewed in time, and tries again by itself. What is wrong
/// goes on being told; what passes does not.
struct LoginWatch {
  /// The longest time between two failures that belong together: librdkafka keeps an error that repeats itself back for 30 s.
  static let gap = Duration.seconds(45)

  private let patience: Duration
  private var first: ContinuousClock.Instant?
  private var last: ContinuousClock.Instant?

  /// - Parameter patience: how long logins have to fail before they count as refused.
  init(patience: Duration) { self.patience = patience }

  /// Notes that a login has failed.
  ///
  /// - Returns: whether logins have failed for so long that somebody has to look.
  mutating func isRefused(now: ContinuousClock.Instant) -> Bool {
    if let last, now - last > Self.gap { first = nil }
    last = now
    let began = first ?? now
    first = began
    return now - began >= patience
  }
}
