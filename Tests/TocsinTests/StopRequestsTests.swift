import Testing

@testable import tocsin

/// What signals mean that ask for a stop.
@Suite struct StopRequestsTests {
  @Test func aSignalSoonAfterTheFirstBelongsToIt() {
    var requests = StopRequests()
    let start = ContinuousClock.now
    #expect(requests.add(at: start) == .stop)
    #expect(requests.add(at: start) == .same)
    #expect(requests.add(at: start + .milliseconds(999)) == .same)
    #expect(requests.add(at: start + .seconds(1)) == .end)
  }
}
