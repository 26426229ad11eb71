import Glibc

/// A value that several threads share, behind a POSIX mutex.
///
/// `Synchronization.Mutex` waits in a futex of its own, in a library that is built without instrumentation: under
/// contention ThreadSanitizer doesn't see that one thread waited for the other, and reports races that are none. It knows
/// POSIX mutexes, so that with this lock each of its reports is worth reading. No lock is taken per event, and the two
/// cost the same where nobody waits.
public struct Lock<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let value: UnsafeMutablePointer<Value>

  /// Guards a value that nobody else refers to.
  public init(_ initial: consuming sending Value) {
    mutex = .allocate(capacity: 1)
    mutex.initialize(to: pthread_mutex_t())
    let status = pthread_mutex_init(mutex, nil)
    precondition(status == 0, "pthread_mutex_init: \(status)")
    value = .allocate(capacity: 1)
    value.initialize(to: initial)
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
    value.deinitialize(count: 1)
    value.deallocate()
  }

  /// Runs `body` while no other thread is in it. Not to be entered again from within: that waits for ever.
  public borrowing func withLock<Result: ~Copyable, Failure: Error>(
    _ body: (inout sending Value) throws(Failure) -> sending Result
  ) throws(Failure) -> sending Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return try body(&value.pointee)
  }
}
