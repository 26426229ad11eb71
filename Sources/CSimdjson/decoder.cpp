#include "include/CSimdjson.h"

#include <simdjson.h>

#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace od = simdjson::ondemand;

// A place on the way to declared fields.
struct Node {
  std::string token;
  int field = -1;
  size_t last_hit = 0;
  bool seen = false;
  std::vector<std::unique_ptr<Node>> children;

  Node *find(std::string_view name) {
    const size_t count = children.size();
    // Producers write keys in the same order again and again: begin after the one found last.
    for (size_t step = 0, i = last_hit < count ? last_hit : 0; step < count; step++) {
      Node *child = children[i].get();
      if (child->token.size() == name.size() && std::memcmp(child->token.data(), name.data(), name.size()) == 0) {
        last_hit = i + 1;
        return child;
      }
      if (++i == count) i = 0;
    }
    return nullptr;
  }

  Node *add(std::string_view name) {
    if (Node *child = find(name)) return child;
    children.push_back(std::make_unique<Node>());
    children.back()->token = std::string(name);
    return children.back().get();
  }

  void forget() {
    seen = false;
    for (auto &child : children) child->forget();
  }

  int first_field() const {
    if (field >= 0) return field;
    for (const auto &child : children)
      if (int found = child->first_field(); found >= 0) return found;
    return -1;
  }
};

// Memory that never moves, in chunks.
class Arena {
 public:
  // Aligned for any cell of a column.
  uint8_t *allocate(size_t length) {
    used_ = (used_ + 15) & ~static_cast<size_t>(15);
    if (chunk_ < chunks_.size() && used_ + length > chunks_[chunk_].size) {
      chunk_++;
      used_ = 0;
    }
    while (chunk_ < chunks_.size() && length > chunks_[chunk_].size) chunk_++;
    if (chunk_ >= chunks_.size()) {
      const size_t size = length > chunk_size ? length : chunk_size;
      chunks_.push_back({std::make_unique<uint8_t[]>(size), size});
      chunk_ = chunks_.size() - 1;
      used_ = 0;
    }
    uint8_t *start = chunks_[chunk_].bytes.get() + used_;
    used_ += length;
    return start;
  }

  void reset() {
    if (chunks_.size() > 1) chunks_.resize(1);
    if (!chunks_.empty() && chunks_[0].size > chunk_size) chunks_.clear();
    chunk_ = 0;
    used_ = 0;
  }

 private:
  static constexpr size_t chunk_size = 64 * 1024;
  struct Chunk {
    std::unique_ptr<uint8_t[]> bytes;
    size_t size;
  };
  std::vector<Chunk> chunks_;
  size_t chunk_ = 0;
  size_t used_ = 0;
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// JSON's grammar of numbers.
bool is_number(std::string_view text) {
  size_t i = 0;
  const size_t n = text.size();
  if (i < n && text[i] == '-') i++;
  if (i >= n || !is_digit(text[i])) return false;
  if (text[i] == '0') {
    i++;
  } else {
    while (i < n && is_digit(text[i])) i++;
  }
  if (i < n && text[i] == '.') {
    i++;
    if (i >= n || !is_digit(text[i])) return false;
    while (i < n && is_digit(text[i])) i++;
  }
  if (i < n && (text[i] == 'e' || text[i] == 'E')) {
    i++;
    if (i < n && (text[i] == '+' || text[i] == '-')) i++;
    if (i >= n || !is_digit(text[i])) return false;
    while (i < n && is_digit(text[i])) i++;
  }
  return i == n;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty()) {
    const char c = text.back();
    if (c != ' ' && c != '\n' && c != '\t' && c != '\r') break;
    text.remove_suffix(1);
  }
  return text;
}

}  // namespace

struct csj_decoder {
  od::parser parser;
  Node root;
  int field_count = 0;
  Arena arena;
  std::vector<csj_slot> elements;

  csj_slot *slots = nullptr;
  int failed_field = -1;

  csj_status object(od::object &&object, Node *node, int depth);
  csj_status array(od::array &&array, Node *node, csj_slot *slot, int depth);
  csj_status value(od::value &value, Node *node, int depth);
  csj_status scalar(od::value &value, od::json_type type, csj_slot *slot);
  csj_status string(od::value &value, csj_slot *slot);
};

namespace {

csj_status failure(simdjson::error_code error) {
  switch (error) {
    case simdjson::SUCCESS: return csj_ok;
    case simdjson::UTF8_ERROR: return csj_invalid_utf8;
    case simdjson::EMPTY: return csj_empty;
    case simdjson::DEPTH_ERROR: return csj_too_deep;
    case simdjson::MEMALLOC: return csj_out_of_memory;
    default: return csj_not_json;
  }
}

// The name of a field without escapes, or the parser's unescaped copy.
csj_status name_of(od::field &field, std::string_view &name) {
  const char *start = field.key().raw();
  const char *end = start;
  while (*end != '"' && *end != '\\') end++;
  if (*end == '"') {
    name = std::string_view(start, size_t(end - start));
    return csj_ok;
  }
  return failure(field.unescaped_key().get(name));
}

}  // namespace

csj_status csj_decoder::string(od::value &value, csj_slot *slot) {
  const std::string_view raw = value.raw_json_token();
  // A value is not followed by a colon; the parser, which skips it, would take it for a name.
  if (raw.data()[raw.size()] == ':') return csj_not_json;
  std::string_view token = trimmed(raw);
  if (token.size() < 2 || token.front() != '"' || token.back() != '"') return csj_not_json;
  if (!std::memchr(token.data(), '\\', token.size())) {
    if (slot) {
      slot->kind = csj_string;
      slot->text = reinterpret_cast<const uint8_t *>(token.data()) + 1;
      slot->length = token.size() - 2;
    }
    return csj_ok;
  }
  std::string_view text;
  if (auto error = value.get_string().get(text)) return failure(error);
  if (slot) {
    uint8_t *copy = arena.allocate(text.size() + 1);
    std::memcpy(copy, text.data(), text.size());
    slot->kind = csj_string;
    slot->text = copy;
    slot->length = text.size();
  }
  return csj_ok;
}

csj_status csj_decoder::scalar(od::value &value, od::json_type type, csj_slot *slot) {
  if (type == od::json_type::string) return string(value, slot);
  const std::string_view token = trimmed(value.raw_json_token());
  uint8_t kind;
  switch (type) {
    case od::json_type::number:
      if (!is_number(token)) return csj_not_json;
      kind = csj_number;
      break;
    case od::json_type::boolean:
      if (token == "true") kind = csj_true;
      else if (token == "false") kind = csj_false;
      else return csj_not_json;
      break;
    default:
      if (token != "null") return csj_not_json;
      kind = csj_null;
  }
  if (slot) {
    slot->kind = kind;
    slot->text = reinterpret_cast<const uint8_t *>(token.data());
    slot->length = token.size();
  }
  return csj_ok;
}

csj_status csj_decoder::array(od::array &&array, Node *node, csj_slot *slot, int depth) {
  if (depth > csj_depth_max) return csj_too_deep;
  // The elements of one array lie together: nested arrays are never a field's element, so they add none.
  const size_t first = elements.size();
  size_t index = 0;
  for (auto item : array) {
    od::value value;
    if (auto error = std::move(item).get(value)) return failure(error);
    od::json_type type;
    if (auto error = value.type().get(type)) return failure(error);
    csj_slot *element = nullptr;
    if (slot) {
      elements.push_back(csj_slot{});
      element = &elements.back();
    }
    Node *child = nullptr;
    if (node && !node->children.empty()) child = node->find(std::to_string(index));
    csj_status status;
    if (type == od::json_type::object || type == od::json_type::array) {
      if (element) element->kind = type == od::json_type::object ? csj_object : csj_array;
      status = this->value(value, child, depth);
    } else if (child) {
      status = this->value(value, child, depth);
      if (status == csj_ok && element && child->field >= 0) elements[first + index] = slots[child->field];
    } else {
      status = scalar(value, type, element);
    }
    if (status != csj_ok) return status;
    index++;
  }
  if (slot) {
    slot->kind = csj_array;
    slot->first_element = uint32_t(first);
    slot->element_count = uint32_t(elements.size() - first);
  }
  return csj_ok;
}

csj_status csj_decoder::value(od::value &value, Node *node, int depth) {
  csj_slot *slot = node && node->field >= 0 ? &slots[node->field] : nullptr;
  od::json_type type;
  if (auto error = value.type().get(type)) return failure(error);
  switch (type) {
    case od::json_type::object: {
      od::object object;
      if (auto error = value.get_object().get(object)) return failure(error);
      if (slot) slot->kind = csj_object;
      return this->object(std::move(object), node, depth + 1);
    }
    case od::json_type::array: {
      od::array array;
      if (auto error = value.get_array().get(array)) return failure(error);
      return this->array(std::move(array), node, slot, depth + 1);
    }
    default:
      return scalar(value, type, slot);
  }
}

csj_status csj_decoder::object(od::object &&object, Node *node, int depth) {
  if (depth > csj_depth_max) return csj_too_deep;
  for (auto item : object) {
    od::field field;
    if (auto error = std::move(item).get(field)) return failure(error);
    std::string_view name;
    if (csj_status status = name_of(field, name); status != csj_ok) return status;
    Node *child = node ? node->find(name) : nullptr;
    if (child) {
      if (child->seen) {
        failed_field = child->first_field();
        return csj_duplicate_key;
      }
      child->seen = true;
    }
    if (csj_status status = value(field.value(), child, depth); status != csj_ok) return status;
  }
  return csj_ok;
}

extern "C" {

csj_decoder *csj_decoder_new(void) { return new (std::nothrow) csj_decoder(); }

void csj_decoder_free(csj_decoder *decoder) { delete decoder; }

int csj_add_field(csj_decoder *decoder, const char *const *tokens, size_t count) {
  Node *node = &decoder->root;
  for (size_t i = 0; i < count; i++) node = node->add(tokens[i]);
  node->field = decoder->field_count;
  return decoder->field_count++;
}

csj_status csj_decode(csj_decoder *decoder, const uint8_t *json, size_t length, csj_slot *slots, int *field) {
  std::memset(slots, 0, sizeof(csj_slot) * size_t(decoder->field_count));
  decoder->slots = slots;
  decoder->elements.clear();
  decoder->failed_field = -1;
  decoder->root.forget();
  *field = -1;
  try {
    od::document document;
    if (auto error = decoder->parser.iterate(json, length, length + csj_padding).get(document)) return failure(error);
    od::json_type type;
    if (auto error = document.type().get(type)) return failure(error);
    if (type != od::json_type::object) return csj_not_an_object;
    od::object object;
    if (auto error = document.get_object().get(object)) return failure(error);
    csj_status status = decoder->object(std::move(object), &decoder->root, 1);
    *field = decoder->failed_field;
    // After the object nothing may follow.
    if (status == csj_ok && document.current_location().error() != simdjson::OUT_OF_BOUNDS) return csj_not_json;
    return status;
  } catch (const std::bad_alloc &) {
    return csj_out_of_memory;
  }
}

const csj_slot *csj_elements(const csj_decoder *decoder) { return decoder->elements.data(); }

void csj_reset(csj_decoder *decoder) { decoder->arena.reset(); }

uint8_t *csj_allocate(csj_decoder *decoder, size_t length) {
  try {
    return decoder->arena.allocate(length + 1);
  } catch (const std::bad_alloc &) {
    return nullptr;
  }
}

}  // extern "C"
