import CRdkafka
import Glibc

/// Makes, looks at and deletes topics. Calls block for up to their time limit and may be made from any thread.
public final class KafkaAdmin: @unchecked Sendable {
  let handle: OpaquePointer
  let inbox = ClientInbox()

  /// An administrator with these properties; those of consumers and producers may be among them.
  public init(_ configuration: KafkaConfiguration) throws(KafkaError) {
    // As a consumer, since a producer that asks for a topic makes it on clusters that allow that.
    let native = try NativeConfiguration(configuration.merging(["allow.auto.create.topics": "false"]))
    native.report(to: inbox, deliveries: false)
    handle = try native.makeHandle(RD_KAFKA_CONSUMER)
  }

  deinit { rd_kafka_destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE) }

  /// Makes topics; one that exists already is an error of that topic only.
  ///
  /// - Returns: the error of each topic that was not made, by name; empty where all were.
  public func createTopics(
    _ topics: [NewTopic], timeoutMilliseconds: Int32
  ) throws(KafkaError) -> [String: KafkaError] {
    guard !topics.isEmpty else { return [:] }
    var natives: [OpaquePointer?] = []
    defer { natives.forEach { rd_kafka_NewTopic_destroy($0) } }
    for topic in topics { natives.append(try Self.native(topic)) }
    let event = try request(
      RD_KAFKA_ADMIN_OP_CREATETOPICS, "creating topics", timeoutMilliseconds: timeoutMilliseconds
    ) { options, queue in
      rd_kafka_CreateTopics(handle, &natives, natives.count, options, queue)
    }
    defer { rd_kafka_event_destroy(event) }
    var count = 0
    let results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count)
    return Self.errors(results, count, "creating topic")
  }

  /// Deletes topics.
  ///
  /// - Returns: the error of each topic that was not deleted, by name; empty where all were.
  public func deleteTopics(_ topics: [String], timeoutMilliseconds: Int32) throws(KafkaError) -> [String: KafkaError] {
    guard !topics.isEmpty else { return [:] }
    var natives: [OpaquePointer?] = topics.map { rd_kafka_DeleteTopic_new($0) }
    defer { natives.forEach { rd_kafka_DeleteTopic_destroy($0) } }
    let event = try request(
      RD_KAFKA_ADMIN_OP_DELETETOPICS, "deleting topics", timeoutMilliseconds: timeoutMilliseconds
    ) { options, queue in
      rd_kafka_DeleteTopics(handle, &natives, natives.count, options, queue)
    }
    defer { rd_kafka_event_destroy(event) }
    var count = 0
    let results = rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event), &count)
    return Self.errors(results, count, "deleting topic")
  }

  /// Deletes the records before these offsets.
  public func deleteRecords(before offsets: [TopicPartitionOffset], timeoutMilliseconds: Int32) throws(KafkaError) {
    guard !offsets.isEmpty else { return }
    let list = PartitionList(offsets)
    var natives: [OpaquePointer?] = [rd_kafka_DeleteRecords_new(list.native)]
    defer { natives.forEach { rd_kafka_DeleteRecords_destroy($0) } }
    let event = try request(
      RD_KAFKA_ADMIN_OP_DELETERECORDS, "deleting records", timeoutMilliseconds: timeoutMilliseconds
    ) { options, queue in
      rd_kafka_DeleteRecords(handle, &natives, 1, options, queue)
    }
    defer { rd_kafka_event_destroy(event) }
    let results = rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event))
    // The result is the event's own; a list of ours reads it.
    let answer = PartitionList(taking: rd_kafka_topic_partition_list_copy(results))
    try answer.checkEach("deleting records")
  }

  /// How often the settings of a topic are asked for before it counts as missing: a broker may not have heard yet of one that
  /// was made a moment ago. And the pause between two, in microseconds.
  private static let (lookups, lookupPause): (Int, useconds_t) = (5, 200_000)

  /// The effective settings of a topic, by name; nil where the topic does not exist, also not a second later.
  public func topicConfiguration(
    _ topic: String, timeoutMilliseconds: Int32
  ) throws(KafkaError) -> [String: String]? {
    for lookup in 0..<Self.lookups {
      if lookup > 0 { usleep(Self.lookupPause) }
      if let found = try currentConfiguration(topic, timeoutMilliseconds: timeoutMilliseconds) { return found }
    }
    return nil
  }

  private func currentConfiguration(
    _ topic: String, timeoutMilliseconds: Int32
  ) throws(KafkaError) -> [String: String]? {
    var natives: [OpaquePointer?] = [rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic)]
    defer { natives.forEach { rd_kafka_ConfigResource_destroy($0) } }
    let event = try request(
      RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, "asking for the settings of topic \(topic)",
      timeoutMilliseconds: timeoutMilliseconds
    ) { options, queue in
      rd_kafka_DescribeConfigs(handle, &natives, 1, options, queue)
    }
    defer { rd_kafka_event_destroy(event) }
    var count = 0
    let resources = rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event), &count)
    guard count == 1, let resource = resources?[0] else { return nil }
    let code = rd_kafka_ConfigResource_error(resource)
    if KafkaErrorCode(code).isUnknownTopic { return nil }
    try KafkaError.check(code, "asking for the settings of topic \(topic)")
    return Self.entries(resource)
  }

  private static func entries(_ resource: OpaquePointer) -> [String: String] {
    var count = 0
    let entries = rd_kafka_ConfigResource_configs(resource, &count)
    var values: [String: String] = [:]
    for index in 0..<count {
      guard let entry = entries?[index], let name = rd_kafka_ConfigEntry_name(entry) else { continue }
      values[String(cString: name)] = rd_kafka_ConfigEntry_value(entry).map { String(cString: $0) } ?? ""
    }
    return values
  }

  /// Sends one request and waits for its answer, which the caller destroys.
  private func request(
    _ operation: rd_kafka_admin_op_t, _ what: String, timeoutMilliseconds: Int32,
    _ send: (OpaquePointer?, OpaquePointer?) -> Void
  ) throws(KafkaError) -> OpaquePointer {
    let options = rd_kafka_AdminOptions_new(handle, operation)
    defer { rd_kafka_AdminOptions_destroy(options) }
    _ = withErrorText { rd_kafka_AdminOptions_set_request_timeout(options, timeoutMilliseconds, $0, $1) }
    let queue = rd_kafka_queue_new(handle)
    defer { rd_kafka_queue_destroy(queue) }
    send(options, queue)
    // The request's own time limit ends it; the second is for its answer to come through.
    guard let event = rd_kafka_queue_poll(queue, timeoutMilliseconds + 1000) else {
      throw failure(RD_KAFKA_RESP_ERR__TIMED_OUT, what, text: nil)
    }
    let code = rd_kafka_event_error(event)
    guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
      let text = rd_kafka_event_error_string(event).map { String(cString: $0) }
      rd_kafka_event_destroy(event)
      throw failure(code, what, text: text)
    }
    return event
  }

  /// A time-out is told with its cause where the client knows one, such as a wrong password.
  func failure(_ code: rd_kafka_resp_err_t, _ what: String, text: String?) -> KafkaError {
    let error = KafkaError(code, what, text: text)
    guard error.class == .retriable else { return error }
    rd_kafka_poll(handle, 0)
    return inbox.takeCause() ?? error
  }

  private static func native(_ topic: NewTopic) throws(KafkaError) -> OpaquePointer {
    let (native, text) = withErrorText {
      rd_kafka_NewTopic_new(topic.name, Int32(topic.partitions), Int32(topic.replication ?? -1), $0, $1)
    }
    guard let native else {
      throw KafkaError(code: .invalidArgument, class: .configuration, message: "creating topic \(topic.name): \(text)")
    }
    for (name, value) in topic.configuration { rd_kafka_NewTopic_set_config(native, name, value) }
    return native
  }

  private static func errors(
    _ results: UnsafeMutablePointer<OpaquePointer?>?, _ count: Int, _ what: String
  ) -> [String: KafkaError] {
    var errors: [String: KafkaError] = [:]
    for index in 0..<count {
      guard let result = results?[index], let name = rd_kafka_topic_result_name(result) else { continue }
      let code = rd_kafka_topic_result_error(result)
      guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { continue }
      let topic = String(cString: name)
      let text = rd_kafka_topic_result_error_string(result).map { String(cString: $0) }
      errors[topic] = KafkaError(code, "\(what) \(topic)", text: text)
    }
    return errors
  }
}
