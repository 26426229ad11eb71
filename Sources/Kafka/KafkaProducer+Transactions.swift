import CRdkafka

extension KafkaProducer {
  /// Takes the transactional id over: fences an older producer of the same id and waits until what it left has ended.
  /// Once, before the first transaction.
  ///
  /// - Throws: `.retriable` where the coordinator did not answer in time: call again.
  public func initTransactions(timeoutMilliseconds: Int32) throws(KafkaError) {
    try KafkaError.check(rd_kafka_init_transactions(handle, timeoutMilliseconds), "taking over the transactional id")
  }

  /// Begins a transaction; asks no broker.
  public func beginTransaction() throws(KafkaError) {
    try KafkaError.check(rd_kafka_begin_transaction(handle), "beginning a transaction")
  }

  /// Puts a group's offsets, with their metadata, into the transaction: they are committed with its records or not at all.
  ///
  /// librdkafka does not keep this call's time limit while the group's coordinator can't be found, and with 2.14 it may not
  /// come back at all where a broker leaves the cluster in the middle of it (its issues 5456 and 5511). So it runs on a
  /// thread of its own, and is given up `patience` after its limit.
  ///
  /// - Parameter group: captured when the work that leads to these offsets was done; a member that has not joined
  ///   (`isMember` false) is refused here, because brokers do not check it.
  /// - Throws: `.retriable`: call again with the same arguments. Any other: this transaction is lost. Where the call was
  ///   given up, the producer can only be destroyed.
  public func sendOffsets(
    _ offsets: [TopicPartitionOffset], group: GroupMetadata, timeoutMilliseconds: Int32,
    patienceMilliseconds: Int = 10_000
  ) throws(KafkaError) {
    guard group.isMember else {
      throw KafkaError(
        code: .unknownMember, class: .abortTransaction,
        message: "sending offsets in a transaction: the consumer is not a member of its group")
    }
    let limit = Int(timeoutMilliseconds) + patienceMilliseconds
    let answer = sending.run(limitMilliseconds: limit) { [self] () throws(KafkaError) in
      let list = PartitionList(offsets)
      try group.withNative { native throws(KafkaError) in
        try KafkaError.check(
          rd_kafka_send_offsets_to_transaction(handle, list.native, native, timeoutMilliseconds),
          "sending offsets in a transaction")
      }
    }
    guard let answer else {
      throw KafkaError(
        code: .timedOut, class: .abortTransaction,
        message: "sending offsets in a transaction: librdkafka has not come back for \(limit) ms")
    }
    try answer.get()
  }

  /// Delivers what is outstanding and commits; the outcomes of the records are kept for `pollDeliveries`.
  ///
  /// - Throws: `.retriable`: call again, the commit goes on in the background. Any other: whether the transaction went
  ///   through is settled by the next producer of the same id.
  public func commitTransaction(timeoutMilliseconds: Int32) throws(KafkaError) {
    try KafkaError.check(rd_kafka_commit_transaction(handle, timeoutMilliseconds), "committing a transaction")
  }

  /// The error that has ended this producer for good; nil while it lives.
  public var fatalError: KafkaError? {
    let (code, text) = withErrorText { rd_kafka_fatal_error(handle, $0, $1) }
    guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
    return KafkaError(code: KafkaErrorCode(code), class: .fatal, message: "Kafka producer: \(text)")
  }
}
