// Measures from a record's arrival in the input topic to its alert in the alert topic, as a read_committed reader sees it.
//
//   latency BROKERS INPUT ALERTS WATCHLIST [RATE SECONDS]
//
// Warms up until a first alert is seen, then writes RATE events a second (5000) for SECONDS (60), of which one in 50 goes
// to a listed address, each expected to raise one alert of the rule `watchlist`. A record has arrived when its delivery
// was reported; or, where the input topic has `message.timestamp.type=LogAppendTime` and that is earlier, at the broker's
// own time of arrival (then broker and this program have to run on one machine, since both clocks must be one). Its alert
// is seen when the reader has it. Prints one JSON object; fails where an alert is missing.

#define _GNU_SOURCE
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WATCHED_ONE_IN = 50, LISTED_MAX = 1000, STARTUP_SECONDS = 90, DRAIN_SECONDS = 10 };

static void fail(const char *what, const char *why) {
  fprintf(stderr, "latency: %s: %s\n", what, why);
  exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

// A measured record or an alert: where, and when it arrived or was seen.
struct sight { int32_t partition; int64_t offset; double time; };
struct sights { struct sight *items; size_t count, capacity; };

static void add(struct sights *list, int32_t partition, int64_t offset, double time) {
  if (list->count == list->capacity) {
    list->capacity = list->capacity ? list->capacity * 2 : 4096;
    list->items = realloc(list->items, list->capacity * sizeof *list->items);
    if (!list->items) fail("memory", "there is no more");
  }
  list->items[list->count++] = (struct sight){partition, offset, time};
}

static int by_place(const void *left, const void *right) {
  const struct sight *a = left, *b = right;
  if (a->partition != b->partition) return a->partition < b->partition ? -1 : 1;
  if (a->offset != b->offset) return a->offset < b->offset ? -1 : 1;
  return a->time < b->time ? -1 : a->time > b->time;
}

static int by_value(const void *left, const void *right) {
  double a = *(const double *)left, b = *(const double *)right;
  return a < b ? -1 : a > b;
}

// Of the writing thread: records that were watched for, and failures.
static struct sights arrivals;
static char delivery_error[512];
// Of the reading thread.
static struct sights seen;
static atomic_int is_reading = 1;
static atomic_size_t seen_count;

static rd_kafka_t *make_client(rd_kafka_type_t type, const char *settings[][2], rd_kafka_conf_t *conf) {
  char error[512];
  for (; (*settings)[0]; settings++)
    if (rd_kafka_conf_set(conf, (*settings)[0], (*settings)[1], error, sizeof error)) fail((*settings)[0], error);
  rd_kafka_t *client = rd_kafka_new(type, conf, error, sizeof error);
  if (!client) fail("librdkafka", error);
  return client;
}

static void delivered(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque) {
  (void)client, (void)opaque;
  double time = now();
  if (message->err) snprintf(delivery_error, sizeof delivery_error, "%s", rd_kafka_err2str(message->err));
  if (message->err || !message->_private) return;
  rd_kafka_timestamp_type_t type;
  int64_t stamp = rd_kafka_message_timestamp(message, &type);
  if (type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME && stamp / 1e3 < time) time = stamp / 1e3;
  add(&arrivals, message->partition, message->offset, time);
}

static int64_t number_after(const char *body, size_t size, const char *name) {
  const char *start = memmem(body, size, name, strlen(name));
  if (!start) return -1;
  int64_t number = 0;
  for (start += strlen(name); start < body + size && *start >= '0' && *start <= '9'; start++)
    number = number * 10 + (*start - '0');
  return number;
}

// The cause of an alert stands in its first piece of evidence.
static void take_alert(const char *body, size_t size, double time) {
  const char *evidence = memmem(body, size, "\"evidences\":", 12);
  if (!evidence || !memmem(body, size, "\"name\":\"watchlist\"", 18)) return;
  size_t rest = body + size - evidence;
  int64_t partition = number_after(evidence, rest, "\"partition\":"), offset = number_after(evidence, rest, "\"offset\":");
  if (partition < 0 || offset < 0) return;
  add(&seen, partition, offset, time);
  atomic_fetch_add(&seen_count, 1);
}

static void *read_alerts(void *argument) {
  char **arguments = argument;
  const char *settings[][2] = {
      {"bootstrap.servers", arguments[0]}, {"group.id", "latency"}, {"enable.auto.commit", "false"},
      {"isolation.level", "read_committed"}, {"fetch.wait.max.ms", "5"}, {"fetch.error.backoff.ms", "5"}, {NULL, NULL},
  };
  rd_kafka_t *client = make_client(RD_KAFKA_CONSUMER, settings, rd_kafka_conf_new());
  rd_kafka_poll_set_consumer(client);
  rd_kafka_topic_t *topic = rd_kafka_topic_new(client, arguments[1], NULL);
  const struct rd_kafka_metadata *metadata = NULL;
  for (double start = now();; usleep(100000)) {
    rd_kafka_resp_err_t code = rd_kafka_metadata(client, 0, topic, &metadata, 5000);
    if (!code && metadata->topics[0].partition_cnt > 0) break;
    if (!code) rd_kafka_metadata_destroy(metadata);
    if (now() - start > STARTUP_SECONDS) fail(arguments[1], "there is no such topic");
  }
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);
  for (int i = 0; i < metadata->topics[0].partition_cnt; i++)
    rd_kafka_topic_partition_list_add(list, arguments[1], i)->offset = RD_KAFKA_OFFSET_BEGINNING;
  if (rd_kafka_assign(client, list)) fail(arguments[1], "cannot be read");
  while (atomic_load(&is_reading)) {
    rd_kafka_message_t *message = rd_kafka_consumer_poll(client, 20);
    if (!message) continue;
    if (!message->err) take_alert(message->payload, message->len, now());
    rd_kafka_message_destroy(message);
  }
  rd_kafka_topic_partition_list_destroy(list);
  rd_kafka_metadata_destroy(metadata);
  rd_kafka_topic_destroy(topic);
  rd_kafka_consumer_close(client);
  rd_kafka_destroy(client);
  return NULL;
}

static char *listed[LISTED_MAX];
static int listed_count;

static void load_watchlist(const char *path) {
  FILE *file = fopen(path, "r");
  if (!file) fail(path, "cannot be read");
  char line[256];
  while (listed_count < LISTED_MAX && fgets(line, sizeof line, file)) {
    line[strcspn(line, "\n")] = 0;
    listed[listed_count++] = strdup(line);
  }
  fclose(file);
  if (!listed_count) fail(path, "is empty");
}

static uint64_t random_state = 88172645463325252u;

static uint64_t next_random(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  return random_state ^= random_state << 17;
}

// Writes one event; `is_measured`: its arrival is kept.
static void produce(rd_kafka_t *client, const char *topic, uint64_t number, int is_watched, int is_measured) {
  char from[48], to[48], json[512];
  snprintf(from, sizeof from, "0x%040lx", next_random() % 100000 + 1);
  snprintf(to, sizeof to, "0x%040lx", next_random() % 100000 + 1);
  int size = snprintf(
      json, sizeof json,
      "{\"id\":\"tx-%012lu\",\"ts\":%lu,\"from\":\"%s\",\"to\":\"%s\",\"amount\":\"%lu.%02lu\",\"asset\":\"USDT\","
      "\"network\":\"ethereum\",\"memo\":\"invoice %08lu\"}",
      number, (uint64_t)(now() * 1000), from, is_watched ? listed[next_random() % listed_count] : to,
      next_random() % 10000, next_random() % 100, next_random() % 100000000);
  while (rd_kafka_producev(
             client, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_KEY(from, strlen(from)), RD_KAFKA_V_VALUE(json, size),
             RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_OPAQUE((void *)(intptr_t)is_measured), RD_KAFKA_V_END)
         == RD_KAFKA_RESP_ERR__QUEUE_FULL)
    rd_kafka_poll(client, 5);
}

// Writes at a rate, polling between.
static void produce_for(rd_kafka_t *client, const char *topic, int rate, double seconds, int is_measured) {
  static uint64_t number;
  double start = now();
  uint64_t count = rate * seconds;
  for (uint64_t i = 0; i < count; i++) {
    while (now() < start + (double)i / rate) rd_kafka_poll(client, 1);
    produce(client, topic, number, i % WATCHED_ONE_IN == 0, is_measured && i % WATCHED_ONE_IN == 0);
    number++;
    rd_kafka_poll(client, 0);
  }
}

static void report(int rate, double seconds) {
  qsort(arrivals.items, arrivals.count, sizeof *arrivals.items, by_place);
  qsort(seen.items, seen.count, sizeof *seen.items, by_place);
  double *latencies = malloc((arrivals.count + 1) * sizeof *latencies);
  size_t count = 0, next = 0;
  for (size_t i = 0; i < arrivals.count; i++) {
    struct sight *arrival = &arrivals.items[i];
    while (next < seen.count && (seen.items[next].partition < arrival->partition
             || (seen.items[next].partition == arrival->partition && seen.items[next].offset < arrival->offset)))
      next++;
    struct sight *alert = next < seen.count ? &seen.items[next] : NULL;
    if (alert && alert->partition == arrival->partition && alert->offset == arrival->offset)
      latencies[count++] = (alert->time - arrival->time) * 1e3;
  }
  qsort(latencies, count, sizeof *latencies, by_value);
  if (!count) latencies[0] = 0;
#define AT(share) latencies[count ? (size_t)((count - 1) * (share)) : 0]
  printf("{\"rate\":%d,\"seconds\":%.0f,\"expected\":%zu,\"seen\":%zu,\"p50_ms\":%.1f,\"p90_ms\":%.1f,\"p99_ms\":%.1f,"
         "\"max_ms\":%.1f}\n", rate, seconds, arrivals.count, count, AT(0.5), AT(0.9), AT(0.99), AT(1.0));
  if (!count || count < arrivals.count) fail("alerts", "some are missing");
}

static int measure(char **arguments, int rate, double seconds) {
  load_watchlist(arguments[3]);
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  rd_kafka_conf_set_dr_msg_cb(conf, delivered);
  const char *settings[][2] = {{"bootstrap.servers", arguments[0]}, {"linger.ms", "0"}, {NULL, NULL}};
  rd_kafka_t *client = make_client(RD_KAFKA_PRODUCER, settings, conf);
  pthread_t reader;
  char *reads[] = {arguments[0], arguments[2]};
  if (pthread_create(&reader, NULL, read_alerts, reads)) fail("thread", "cannot be started");

  double start = now();
  while (!atomic_load(&seen_count)) {
    if (now() - start > STARTUP_SECONDS) fail(arguments[2], "no alert came: does the pipeline run?");
    produce_for(client, arguments[1], rate < 500 ? rate : 500, 0.5, 0);
  }
  produce_for(client, arguments[1], rate, 2, 0);
  produce_for(client, arguments[1], rate, seconds, 1);
  if (rd_kafka_flush(client, DRAIN_SECONDS * 1000)) fail(arguments[1], "events were not delivered");
  if (*delivery_error) fail(arguments[1], delivery_error);
  size_t expected = arrivals.count;
  // Alerts of the warm-up are among those seen, so their number alone does not tell: three seconds of silence do.
  size_t size = 0;
  int silent = 0;
  for (double end = now() + DRAIN_SECONDS; now() < end && silent < 3; usleep(1000000)) {
    size_t count = atomic_load(&seen_count);
    silent = count >= expected && count == size ? silent + 1 : 0;
    size = count;
  }
  atomic_store(&is_reading, 0);
  pthread_join(reader, NULL);
  report(rate, seconds);
  rd_kafka_destroy(client);
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 5) return measure(argv + 1, 5000, 60);
  if (argc == 7 && atoi(argv[5]) > 0) return measure(argv + 1, atoi(argv[5]), atof(argv[6]));
  fprintf(stderr, "usage: latency BROKERS INPUT ALERTS WATCHLIST [RATE SECONDS]\n");
  return 2;
}
