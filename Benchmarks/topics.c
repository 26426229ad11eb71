// Makes and deletes the benchmark's topics.
//
//   topics create BROKERS NAME PARTITIONS [SETTING VALUE]
//   topics delete BROKERS NAME...

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(const char *what, const char *why) {
  fprintf(stderr, "topics: %s: %s\n", what, why);
  exit(1);
}

// The answer to a request, with an error of each topic.
static void check(rd_kafka_queue_t *queue, int is_creation, int may_be_missing) {
  rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 60000);
  if (!event) fail("broker", "no answer");
  if (rd_kafka_event_error(event)) fail("broker", rd_kafka_event_error_string(event));
  size_t count;
  const rd_kafka_topic_result_t **results =
      is_creation ? rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count)
                  : rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event), &count);
  for (size_t i = 0; i < count; i++) {
    rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[i]);
    if (code && !(may_be_missing && code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART))
      fail(rd_kafka_topic_result_name(results[i]), rd_kafka_err2str(code));
  }
  rd_kafka_event_destroy(event);
}

static void create(rd_kafka_t *client, rd_kafka_queue_t *queue, int argc, char **argv) {
  char error[512] = "the setting is wrong";
  rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(argv[0], atoi(argv[1]), -1, error, sizeof error);
  if (!topic || (argc == 4 && rd_kafka_NewTopic_set_config(topic, argv[2], argv[3]))) fail(argv[0], error);
  rd_kafka_CreateTopics(client, &topic, 1, NULL, queue);
  check(queue, 1, 0);
  rd_kafka_NewTopic_destroy(topic);
}

static void delete(rd_kafka_t *client, rd_kafka_queue_t *queue, int argc, char **argv) {
  rd_kafka_DeleteTopic_t **topics = malloc(argc * sizeof *topics);
  for (int i = 0; i < argc; i++) topics[i] = rd_kafka_DeleteTopic_new(argv[i]);
  rd_kafka_DeleteTopics(client, topics, argc, NULL, queue);
  check(queue, 0, 1);
  rd_kafka_DeleteTopic_destroy_array(topics, argc);
  free(topics);
}

int main(int argc, char **argv) {
  int is_creation = (argc == 5 || argc == 7) && !strcmp(argv[1], "create");
  if (!is_creation && !(argc >= 4 && !strcmp(argv[1], "delete"))) {
    fprintf(stderr, "usage: topics create BROKERS NAME PARTITIONS [SETTING VALUE]\n"
                    "       topics delete BROKERS NAME...\n");
    return 2;
  }
  char error[512];
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  if (rd_kafka_conf_set(conf, "bootstrap.servers", argv[2], error, sizeof error)) fail(argv[2], error);
  rd_kafka_t *client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof error);
  if (!client) fail("librdkafka", error);
  rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
  (is_creation ? create : delete)(client, queue, argc - 3, argv + 3);
  rd_kafka_queue_destroy(queue);
  rd_kafka_destroy(client);
  return 0;
}
