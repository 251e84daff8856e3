// SPDX-License-Identifier: Apache-2.0
#include "service/notebook.h"

#include <algorithm>
#include <cstring>

#include "wire/wire.h"

namespace weir::service {
namespace {

bool is_text(FieldId field) {
  const FieldRow* const row = engine::vocabulary().field(field);
  return row != nullptr && (row->type == FieldType::Text || row->type == FieldType::TextFold || row->type == FieldType::Domain);
}

void recall(const Note& note, const Note::Kept& kept, Facts& facts) {
  const bool text = is_text(kept.field);
  const Value value = text ? Value::of_text({note.text.data() + kept.text_at, kept.text_bytes}) : kept.value;
  facts.add(kept.field, kept.scope, value, text);
}

}  // namespace

void Notebook::keep(const engine::AlertRecord& alert, const View* view, std::uint32_t generation) {
  if (view == nullptr || view->packet == nullptr || view->packet->frame->number != alert.frame) return;
  Note& note = notes_[kept_++ % kNotesMax];
  note.alert = alert;
  note.generation = generation;
  note.cut = false;
  note.at_bound = view->at_bound;
  note.described_all = view->described_all;
  note.parser = view->parser;
  note.outer_from = view->outer_from;
  note.outer_to = view->outer_to;
  note.flaws = view->flaws;
  note.has_flow = view->flow != nullptr;
  if (note.has_flow) note.flow = *view->flow;
  const Frame& frame = *view->packet->frame;
  note.time = frame.time;
  note.link = frame.link;
  note.wire_bytes = frame.wire_bytes;
  note.frame_bytes = static_cast<std::uint16_t>(std::min(frame.bytes.size(), Note::kFrameBytesMax));
  note.cut = note.cut || note.frame_bytes < frame.bytes.size();
  if (note.frame_bytes != 0) std::memcpy(note.frame.data(), frame.bytes.data(), note.frame_bytes);
  note.depth = 0;
  for (std::size_t i = 0; i < view->packet->layers_count; ++i)
    if (view->layer == &view->packet->layers[i]) note.depth = static_cast<std::uint8_t>(i);

  note.values_count = note.readings_count = 0;
  note.text_bytes = 0;
  note.closed.reset();
  note.hidden.reset();
  note.has_facts = view->facts != nullptr;
  const auto put = [&note](Note::Kept* kept, std::uint8_t& count, std::size_t most, FieldId field, Scope scope, const Value& value) {
    if (count == most) return note.cut = true, false;
    Note::Kept one{field, scope, 0, 0, value};
    if (is_text(field)) {
      const std::string_view text = value.text();
      if (note.text_bytes + text.size() > Note::kTextBytesMax) return note.cut = true, false;
      one.text_at = note.text_bytes;
      one.text_bytes = static_cast<std::uint16_t>(text.size());
      if (!text.empty()) std::memcpy(note.text.data() + note.text_bytes, text.data(), text.size());
      note.text_bytes = static_cast<std::uint16_t>(note.text_bytes + text.size());
    }
    kept[count++] = one;
    return true;
  };
  if (note.has_facts) {
    for (FieldId f = 0; f < kFieldsMax; ++f) {
      const FactState state = view->facts->state(f);
      if (state == FactState::Hidden) note.hidden.set(f);
      if (view->facts->complete(f)) note.closed.set(f);
    }
    view->facts->for_each([&](FieldId field, Scope scope, const Value& value) {
      if (!put(note.values.data(), note.values_count, Note::kValuesMax, field, scope, value)) note.hidden.set(field);
    });
  }
  if (view->readings != nullptr)
    view->readings->for_each([&](FieldId field, Scope scope, const Value& value) {
      put(note.readings.data(), note.readings_count, Note::kReadingsMax, field, scope, value);
    });
}

const Note* Notebook::find(std::uint64_t frame) const {
  for (std::uint64_t back = 1; back <= std::min<std::uint64_t>(kept_, kNotesMax); ++back) {
    const Note& note = notes_[(kept_ - back) % kNotesMax];
    if (note.alert.frame == frame) return &note;
  }
  return nullptr;
}

Recollection::Recollection(const Note& note)
    : note_(note), all_(FieldSet().set()), pool_(1 << 20), facts_(pool_, all_), readings_(pool_, all_) {
  frame_.bytes = {note.frame.data(), note.frame_bytes};
  frame_.wire_bytes = note.wire_bytes;
  frame_.port = note.alert.port;
  frame_.link = note.link;
  frame_.number = note.alert.frame;
  frame_.time = note.time;
  wire::parse(frame_, packet_);
  for (std::size_t i = 0; i < note.values_count; ++i) recall(note, note.values[i], facts_);
  for (std::size_t i = 0; i < note.readings_count; ++i) recall(note, note.readings[i], readings_);
  for (FieldId f = 0; f < kFieldsMax; ++f) {
    const FieldRow* const row = engine::vocabulary().field(f);
    if (row == nullptr) continue;
    if (note.hidden.test(f)) facts_.hide(f, row->scope);
    else if (note.closed.test(f)) facts_.close(f, row->scope);
  }
  view_.vocabulary = &engine::vocabulary();
  view_.packet = &packet_;
  view_.layer = note.depth < packet_.layers_count ? &packet_.layers[note.depth] : nullptr;
  view_.flow = note.has_flow ? &note.flow : nullptr;
  view_.facts = note.has_facts ? &facts_ : nullptr;
  view_.readings = &readings_;
  view_.parser = note.parser;
  view_.now_ns = note.time.mono_ns;
  view_.outer_from = note.outer_from;
  view_.outer_to = note.outer_to;
  view_.flaws = note.flaws;
  view_.at_bound = note.at_bound;
  view_.described_all = note.described_all;
}

policy::Outcome Recollection::outcome() const {
  policy::Outcome out;
  out.rule = note_.alert.rule;
  out.action = note_.alert.action;
  out.pass = !note_.alert.blocked;
  return out;
}

}  // namespace weir::service
