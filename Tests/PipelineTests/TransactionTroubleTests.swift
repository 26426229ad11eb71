import Testing

@testable import Pipeline

@Suite struct TransactionTroubleTests {
  private func trouble(age: Int64 = 0, _ change: (inout TransactionTrouble) -> Void = { _ in }) -> SinkFailure {
    var trouble = TransactionTrouble(reason: "why", age: age, transactionTimeout: 10_000)
    change(&trouble)
    return trouble.failure
  }

  @Test func anythingThatIsNotKnownIsSettled() { #expect(trouble() == .lost("why")) }

  @Test func aFenceIsAnotherProcessUnlessTheTransactionWasOld() {
    let fenced = trouble(age: 7_999) { $0.fence = "other" }
    #expect(fenced == .failed(PipelineFailure(.fenced, "other")))
    #expect(trouble(age: 8_000) { $0.fence = "other" } == .lost("why"))
  }

  @Test func permissionEndsTheProcessAndAnUnwritableRecordDoesNot() {
    let place = SinkFailure.Place(pair: 1, output: 2)
    #expect(trouble { $0.denial = "no" } == .failed(PipelineFailure(.configuration, "no")))
    let both = trouble {
      $0.denial = "no"
      $0.unwritable = [place]
    }
    #expect(both == .unwritable([place], "why"))
  }
}
