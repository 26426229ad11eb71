import Foundation
import Kafka
import KafkaTestSupport

/// Sends payments at a steady rate, and reads back what stands in the topic.
final class Traffic {
  /// Records that were given to the producer.
  private(set) var sent = 0
  private(set) var failed = 0
  private let stream: PaymentStream
  private let kafka: RealKafka
  private let topic: String
  private var producer: KafkaProducer

  init(_ kafka: RealKafka, topic: String, seed: UInt64) throws {
    self.kafka = kafka
    self.topic = topic
    stream = PaymentStream(seed: seed)
    producer = try Self.producer(kafka)
  }

  private static func producer(_ kafka: RealKafka) throws -> KafkaProducer {
    try KafkaProducer(
      kafka.configuration.merging([
        "acks": "all", "linger.ms": "5", "delivery.timeout.ms": "600000", "queue.buffering.max.messages": "1000000",
      ]))
  }

  /// Sends until so many have been sent.
  func send(until count: Int) throws {
    while sent < count {
      try send(stream.payment(sent))
      sent += 1
    }
    try collect()
  }

  private func send(_ payment: Payment) throws {
    do throws(KafkaError) {
      try producer.produce(
        topic: topic, partition: Int32(payment.partition), key: Array(payment.accountName.utf8),
        value: Array(payment.text.utf8))
    } catch {
      guard producer.fatalError != nil else { throw error }
      // A broker's death may end an idempotent producer; the next one takes this payment.
      try collect()
      try send(payment)
    }
  }

  private func collect() throws {
    failed += producer.pollDeliveries().count { $0.error != nil }
    guard producer.fatalError != nil else { return }
    // What it held is not in the topic, and so it is not in the truth.
    failed += producer.outstanding
    producer.destroy()
    producer = try Self.producer(kafka)
  }

  /// Sends the records that end each partition, and waits until everything stands in the topic.
  func finish() throws {
    for partition in 0..<PaymentStream.partitions { try send(stream.last(partition, after: sent)) }
    let deadline = ContinuousClock.now + .seconds(120)
    while producer.outstanding > 0, ContinuousClock.now < deadline {
      try? producer.flush(timeoutMilliseconds: 500)
      failed += producer.pollDeliveries().count { $0.error != nil }
    }
    guard producer.outstanding == 0 else { throw RealKafkaError(message: "the producer could not send everything") }
  }

  /// What stands in the topic, read by a consumer that is not ours.
  func read(into folder: String) throws -> [(Truth.Place, Payment)] {
    let file = "\(folder)/input"
    let reader = try ChildProcess(
      "/usr/bin/env",
      [
        "timeout", "300", "kcat", "-b", kafka.bootstrapServers, "-C", "-t", topic, "-o", "beginning", "-e", "-q", "-X",
        "isolation.level=read_committed", "-f", "%p %o %s\n",
      ], log: file)
    guard reader.wait() == .exit(0) else { throw RealKafkaError(message: "kcat could not read \(topic)") }
    defer { try? FileManager.default.removeItem(atPath: file) }
    let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
    let records = try lines.map { line in
      let parts = line.split(separator: " ", maxSplits: 2)
      guard parts.count == 3, let partition = Int(parts[0]), let offset = Int(parts[1]),
        let number = Payment.number(in: parts[2])
      else { throw RealKafkaError(message: "kcat wrote `\(line)`") }
      let payment = number < sent ? stream.payment(number) : stream.last(number - sent, after: sent)
      guard payment.text == parts[2], payment.partition == partition else {
        throw RealKafkaError(message: "record \(partition)/\(offset) is not the payment that was sent")
      }
      return (Truth.Place(partition: partition, offset: offset), payment)
    }
    return records.sorted { $0.0 < $1.0 }
  }
}
