-- Dovecot 2.3: let msad check the passwords of POP and IMAP: main ones and app passwords, with its lockouts and the
-- block from overseas. Needs dovecot-auth-lua. Put it into /etc/dovecot, readable by root only if it holds the token,
-- and include dovecot-msad.conf.ext.
--
-- On msad's own host:     url as it is here, msad.conf: console { auth_policy 127.0.0.1:4001; }
-- From another host:      url = "https://mailsafe.example.jp/verify" and the token, the line in auth_policy_token_file;
--                         msad.conf: console { https *:443; auth_policy_token_file /etc/msad/auth-policy.token; }
--                         dovecot.conf: ssl = required, ssl_client_ca_file = /etc/ssl/certs/ca-certificates.crt

local url = "http://127.0.0.1:4001/verify"
local token = ""

local client

function script_init()
  -- no second try: a password that was refused is asked about once
  client = dovecot.http.client({ request_timeout_msecs = 10000, max_attempts = 1, no_auto_retry = true })
  return 0
end

-- msad takes UTF-8 alone, and nothing else can be a password there.
local function json_text(text)
  return '"' .. text:gsub('[%c"\\\127]', function(c) return string.format("\\u%04x", c:byte()) end) .. '"'
end

local function question(request, password)
  local program = request.client_id or ""
  return "{" ..
    '"login":' .. json_text(request.user) .. "," ..
    '"password":' .. json_text(password) .. "," ..
    '"remote":' .. json_text(request.rip or "") .. "," ..
    '"device_id":' .. json_text(utf8.len(program) and program or "") .. "," ..
    '"protocol":' .. json_text(request.service or "") .. "}"
end

function auth_password_verify(request, password)
  if not utf8.len(request.user) or not utf8.len(password) then
    return dovecot.auth.PASSDB_RESULT_PASSWORD_MISMATCH, {}
  end
  local http = client:request({ url = url, method = "POST" })
  http:add_header("Content-Type", "application/json")
  if token ~= "" then
    http:add_header("X-API-Key", token)
  end
  http:set_payload(question(request, password))
  local answer = http:submit()
  if answer:status() ~= 200 then
    dovecot.i_error("msad answers " .. answer:status() .. " " .. answer:reason())
    return dovecot.auth.PASSDB_RESULT_INTERNAL_FAILURE, {}
  end
  local body = answer:payload()
  local login = body:match('"login": ?"([^"\\]+)"')
  if not body:match('"status": ?"ok"') or not login then
    return dovecot.auth.PASSDB_RESULT_PASSWORD_MISMATCH, {}
  end
  local fields = { user = login }
  local delay = body:match('"delay": ?(%d+)')
  if delay then
    fields.delay_until = tostring(os.time() + tonumber(delay))
  end
  return dovecot.auth.PASSDB_RESULT_OK, fields
end

-- Without a password nobody is looked up here.
function auth_passdb_lookup()
  return dovecot.auth.PASSDB_RESULT_USER_UNKNOWN, {}
end
