/// Properties of librdkafka that a pipeline may not set, since what Tocsin promises rests on them.
public enum LibrdkafkaProperties {
  /// Why a property is refused, with what to do instead; nil: it may be set.
  public static func refusal(of name: String) -> (reason: String, hint: String?)? {
    switch name {
    case "isolation.level":
      ("only committed records may be read, or an alert would stand on what never happened", nil)
    case "enable.auto.commit", "auto.commit.enable", "auto.commit.interval.ms", "enable.auto.offset.store":
      ("offsets are committed together with the alerts they caused", "choose with `delivery`")
    case "auto.offset.reset":
      ("Tocsin itself decides where reading begins, so that no record is skipped", nil)
    case "transactional.id":
      ("it is made from the pipeline's name, so that a second process of that name is fenced off", nil)
    case "enable.idempotence":
      ("without it a retry writes an alert twice or out of order", "choose with `delivery`")
    case "enable.partition.eof":
      ("Tocsin itself asks where partitions end, to commit what lies behind the last record", nil)
    default: nil
    }
  }
}
