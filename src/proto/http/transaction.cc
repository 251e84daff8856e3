// SPDX-License-Identifier: Apache-2.0
// What a request is, whichever version of HTTP carried it (HTTP/2 writes the same facts).

#include "proto/http/http.h"

namespace weir::proto::http {

void reset_transaction(State& s) {
  s.request_done = s.answer_done = s.credentials = s.absolute = s.forwarded = false;
  s.is_post = s.dav_method = s.bits_method = s.doh_path = s.wsman_path = s.doh_type = s.dav_agent = s.bits_agent = false;
  s.arena.used = 0;
  s.body_bytes = 0;
  s.client = Hop::None;
  s.authority_bytes = s.url_bytes = 0;
}

void describe_method(State& s, Describer& d, std::string_view method) {
  s.is_post = method == "POST";
  s.bits_method = method == "BITS_POST";
  s.dav_method = method == "PROPFIND" || method == "PROPPATCH" || method == "MKCOL" || method == "LOCK" || method == "UNLOCK" ||
                 method == "COPY" || method == "MOVE";
  put(d, kMethod, method);
}

void describe_result(const State& s, Describer& d, std::uint16_t status) {
  if (!s.credentials) return;
  if (status == 401 || status == 407) d.word(field::kAuthResult, field::AuthResult::Failed);
  else if (status >= 200 && status < 400) d.word(field::kAuthResult, field::AuthResult::Ok);
}

void refine(State& s, Describer& d) {
  if (s.refined) return;
  std::string_view app;
  if (s.bits_method || s.bits_agent) app = "bits";
  else if (s.dav_method || s.dav_agent) app = "webdav";
  else if (s.is_post && s.wsman_path) app = "winrm";
  else if (s.doh_path || s.doh_type) app = "doh";
  if (app.empty()) return;
  s.refined = true;
  d.refine(app);
}

}  // namespace weir::proto::http
