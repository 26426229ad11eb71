// The practical limit of the benchmark's job: a bare loop over librdkafka in one thread.
//
//   loop BROKERS TOPIC WATCHLIST
//
// It is assigned all partitions from their beginnings to their ends as they are now, takes batches, finds the fields by
// memmem, looks `from` and `to` up in a hash set of the watchlist and counts events by (from, minute). It parses no JSON,
// writes nothing, commits nothing, and counts late events too. Prints one JSON object.

#define _GNU_SOURCE
#include <librdkafka/rdkafka.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { BATCH = 1000, LIMIT = 1000 };

static void fail(const char *what, const char *why) {
  fprintf(stderr, "loop: %s: %s\n", what, why);
  exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

// Eight bytes at a time, multiplied and folded.
static uint64_t hash_bytes(const char *bytes, size_t count, uint64_t seed) {
  uint64_t hash = seed ^ count * 0x9E3779B97F4A7C15u, word;
  while (count >= 8) {
    memcpy(&word, bytes, 8);
    __uint128_t product = (__uint128_t)(hash ^ word) * 0xD6E8FEB86659FD93u;
    hash = (uint64_t)product ^ (uint64_t)(product >> 64);
    bytes += 8;
    count -= 8;
  }
  word = 0;
  memcpy(&word, bytes, count);
  __uint128_t product = (__uint128_t)(hash ^ word) * 0xA0761D6478BD642Fu;
  return (uint64_t)product ^ (uint64_t)(product >> 64);
}

// The watchlist: open addressing over the lines of the file.
struct entry { const char *text; uint32_t count; };
static struct entry *watch;
static uint64_t watch_mask;

static void load_watchlist(const char *path) {
  FILE *file = fopen(path, "r");
  if (!file) fail(path, "cannot be read");
  size_t capacity = 1 << 18, count = 0;
  watch = calloc(capacity, sizeof *watch);
  watch_mask = capacity - 1;
  char *line = NULL;
  size_t size = 0;
  ssize_t length;
  while ((length = getline(&line, &size, file)) > 0) {
    if (line[length - 1] == '\n') length--;
    if (++count > capacity / 2) fail(path, "has too many lines");
    uint64_t slot = hash_bytes(line, length, 1) & watch_mask;
    while (watch[slot].text) slot = (slot + 1) & watch_mask;
    watch[slot] = (struct entry){strndup(line, length), length};
  }
  free(line);
  fclose(file);
}

static int is_watched(const char *text, size_t count) {
  uint64_t slot = hash_bytes(text, count, 1) & watch_mask;
  for (; watch[slot].text; slot = (slot + 1) & watch_mask)
    if (watch[slot].count == count && !memcmp(watch[slot].text, text, count)) return 1;
  return 0;
}

// Events by (from, minute): open addressing on the 64-bit hash alone, grown at half full.
struct counter { uint64_t key; uint32_t count; };
static struct counter *counters;
static uint64_t counter_mask, counter_count;

static struct counter *find_counter(uint64_t key) {
  uint64_t slot = key & counter_mask;
  while (counters[slot].key && counters[slot].key != key) slot = (slot + 1) & counter_mask;
  return &counters[slot];
}

static void grow_counters(void) {
  struct counter *old = counters;
  uint64_t old_count = counters ? counter_mask + 1 : 0, count = old_count ? old_count * 2 : 1 << 16;
  counters = calloc(count, sizeof *counters);
  counter_mask = count - 1;
  for (uint64_t i = 0; i < old_count; i++)
    if (old[i].key) *find_counter(old[i].key) = old[i];
  free(old);
}

static uint64_t events, hits, busy_minutes, unread;

// The text of a field: after `"name":"`, up to the next quotation mark.
static const char *field(const char *json, size_t size, const char *name, size_t name_size, size_t *count) {
  const char *start = memmem(json, size, name, name_size);
  if (!start) return NULL;
  start += name_size;
  const char *end = memchr(start, '"', json + size - start);
  if (!end) return NULL;
  *count = end - start;
  return start;
}

static void take(const char *json, size_t size) {
  static const char FROM[] = "\"from\":\"", TO[] = "\"to\":\"", TS[] = "\"ts\":";
  size_t from_count = 0, to_count = 0;
  const char *from = field(json, size, FROM, sizeof FROM - 1, &from_count);
  const char *to = field(json, size, TO, sizeof TO - 1, &to_count);
  const char *ts = memmem(json, size, TS, sizeof TS - 1);
  events++;
  if (!from || !to || !ts) {
    unread++;
    return;
  }
  uint64_t time = 0;
  for (ts += sizeof TS - 1; ts < json + size && *ts >= '0' && *ts <= '9'; ts++) time = time * 10 + (*ts - '0');
  if (is_watched(from, from_count) | is_watched(to, to_count)) hits++;
  uint64_t key = hash_bytes(from, from_count, time / 60000) | 1;
  struct counter *counter = find_counter(key);
  if (!counter->key) {
    if (++counter_count > counter_mask / 2) {
      grow_counters();
      counter = find_counter(key);
    }
    counter->key = key;
  }
  if (++counter->count == LIMIT + 1) busy_minutes++;
}

int main(int argc, char **argv) {
  if (argc != 4) fail("usage", "loop BROKERS TOPIC WATCHLIST");
  load_watchlist(argv[3]);
  grow_counters();
  double start = now();

  char error[512];
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  const char *settings[][2] = {
      {"bootstrap.servers", argv[1]}, {"group.id", "loop"}, {"enable.auto.commit", "false"},
      {"auto.offset.reset", "earliest"},
      // Else the fetcher rests for half a second whenever 100,000 records wait.
      {"queued.min.messages", "1000000"},
  };
  for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
    if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], error, sizeof error)) fail(settings[i][0], error);
  rd_kafka_t *client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof error);
  if (!client) fail("librdkafka", error);
  rd_kafka_poll_set_consumer(client);

  const struct rd_kafka_metadata *metadata;
  rd_kafka_topic_t *topic = rd_kafka_topic_new(client, argv[2], NULL);
  rd_kafka_resp_err_t code = rd_kafka_metadata(client, 0, topic, &metadata, 10000);
  if (code || metadata->topic_cnt != 1) fail("metadata", rd_kafka_err2str(code));
  int partitions = metadata->topics[0].partition_cnt;
  int64_t remaining = 0;
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
  for (int i = 0; i < partitions; i++) {
    int64_t low, high;
    code = rd_kafka_query_watermark_offsets(client, argv[2], i, &low, &high, 10000);
    if (code) fail("offsets", rd_kafka_err2str(code));
    remaining += high - low;
    rd_kafka_topic_partition_list_add(list, argv[2], i)->offset = low;
  }
  code = rd_kafka_assign(client, list);
  if (code) fail("assign", rd_kafka_err2str(code));

  rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(client);
  rd_kafka_message_t *messages[BATCH];
  double last = now();
  while (remaining > 0) {
    ssize_t count = rd_kafka_consume_batch_queue(queue, 100, messages, BATCH);
    for (ssize_t i = 0; i < count; i++) {
      if (messages[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        take(messages[i]->payload, messages[i]->len);
        remaining--;
      }
      rd_kafka_message_destroy(messages[i]);
    }
    if (count > 0) last = now();
    if (now() - last > 30) fail("consume", "nothing came for 30 s");
  }
  double seconds = now() - start;

  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  double cpu = usage.ru_utime.tv_sec + usage.ru_utime.tv_usec / 1e6 + usage.ru_stime.tv_sec + usage.ru_stime.tv_usec / 1e6;
  printf("{\"events\":%lu,\"seconds\":%.3f,\"cpu_seconds\":%.3f,\"events_per_cpu_second\":%.0f,\"peak_rss_kb\":%ld,"
         "\"watch_hits\":%lu,\"busy_key_minutes\":%lu,\"unread\":%lu}\n",
         events, seconds, cpu, events / cpu, usage.ru_maxrss, hits, busy_minutes, unread);

  rd_kafka_topic_partition_list_destroy(list);
  rd_kafka_metadata_destroy(metadata);
  rd_kafka_topic_destroy(topic);
  rd_kafka_queue_destroy(queue);
  rd_kafka_consumer_close(client);
  rd_kafka_destroy(client);
  return 0;
}
