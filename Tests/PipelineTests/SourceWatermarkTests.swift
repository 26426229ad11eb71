import Testing

@testable import Pipeline

@Suite struct SourceWatermarkTests {
  private let first = PartitionID("t", 0)
  private let second = PartitionID("t", 1)

  private func progress(_ watermark: Int64, last: Int64, isBlocked: Bool = false) -> PartitionWorker.Progress {
    PartitionWorker.Progress(nextOffset: 0, watermark: watermark, lastRecord: last, isBlocked: isBlocked, end: 0)
  }

  @Test func itIsTheSmallestOfThoseThatAreNotIdle() {
    var source = SourceWatermark(idleAfter: 100)
    source.update([first: progress(.min, last: 0), second: progress(50, last: 0)], now: 10)
    #expect(source.watermark == nil)
    source.update([first: progress(20, last: 10), second: progress(50, last: 0)], now: 20)
    #expect(source.watermark == 20)
    source.update([first: progress(20, last: 10), second: progress(70, last: 115)], now: 120)
    #expect(source.idle == [first])
    #expect(source.watermark == 70)
  }

  @Test func aPartitionThatWaitsForUsIsNotIdle() {
    var source = SourceWatermark(idleAfter: 100)
    source.update([first: progress(20, last: 0, isBlocked: true), second: progress(70, last: 990)], now: 1_000)
    #expect(source.idle.isEmpty)
    #expect(source.watermark == 20)
  }

  @Test func itNeverGoesBack() {
    var source = SourceWatermark(idleAfter: 100)
    source.update([first: progress(70, last: 0)], now: 0)
    source.update([first: progress(70, last: 0), second: progress(10, last: 0)], now: 0)
    #expect(source.watermark == 70)
  }
}
