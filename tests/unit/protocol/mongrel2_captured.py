"""Messages byte for byte as Mongrel2 1.12.2 sent them, each with its value."""

from wsgid.protocol.mongrel2_messages import (
    Credits,
    Disconnected,
    HttpRequest,
    Message,
    RefusedRequest,
    SocketKind,
    SocketMessage,
    StreamPart,
    UploadDone,
    UploadStarted,
    WebSocketFrame,
    WebSocketHandshake,
)
from wsgid.protocol.values import Header, Request


def request(
    target: str,
    headers: list[Header],
    *,
    method: str = "GET",
    script_name: str = "",
    path: str = "",
    query: str = "",
    version: str = "HTTP/1.1",
    server_name: str = "h",
    server_port: str = "80",
    server_id: str = "srv-1",
    client_id: str,
    content_length: int | None = None,
    body: bytes = b"",
    body_in_file: bool = False,
) -> Request:
    return Request(
        "r1",
        "r1",
        method,
        target,
        script_name,
        path,
        query,
        version,
        headers,
        "http",
        server_name,
        server_port,
        "127.0.0.1",
        "",
        server_id,
        client_id,
        content_length,
        body,
        body_in_file,
    )


XFF = ("x-forwarded-for", "127.0.0.1")
HOST = ("host", "h")

CAPTURED: list[tuple[bytes, Message]] = [
    (
        b'json-id 4 /j 192:{"PATH":"/j","x-forwarded-for":"127.0.0.1","content-length":"3","host":"localhost",'
        b'"METHOD":"POST","VERSION":"HTTP/1.1","URI":"/j","PATTERN":"/j","URL_SCHEME":"http",'
        b'"REMOTE_ADDR":"127.0.0.1"},3:abc,',
        HttpRequest(
            request(
                "/j",
                [XFF, ("content-length", "3"), ("host", "localhost")],
                method="POST",
                script_name="/j",
                server_name="localhost",
                server_id="json-id",
                client_id="4",
                content_length=3,
                body=b"abc",
            ),
            0,
        ),
    ),
    (
        b"srv-1 5 / 192:11:REMOTE_ADDR,9:127.0.0.1,6:METHOD,4:POST,10:URL_SCHEME,4:http,7:PATTERN,1:/,3:URI,1:/,"
        b"7:VERSION,8:HTTP/1.1,4:PATH,1:/,4:host,9:localhost,14:content-length,1:3,15:x-forwarded-for,9:127.0.0.1,}3:abc,",
        HttpRequest(
            request(
                "/",
                [("host", "localhost"), ("content-length", "3"), XFF],
                method="POST",
                path="/",
                server_name="localhost",
                client_id="5",
                content_length=3,
                body=b"abc",
            ),
            0,
        ),
    ),
    # Raw bytes, control characters, blanks at the end, an empty value, a repeated header, quotes and backslashes.
    (
        b"srv-1 510 /t 260:11:REMOTE_ADDR,9:127.0.0.1,6:METHOD,3:GET,10:URL_SCHEME,4:http,7:PATTERN,1:/,5:QUERY,"
        b"7:a=1,2&b,3:URI,10:/t?a=1,2&b,7:VERSION,8:HTTP/1.1,4:PATH,2:/t,4:host,1:h,5:empty,0:,"
        b'1:t,10:a\tb\x01\x1f\xff\xe9 \t ,1:q,11:v"1\\2\\u0041,15:x-forwarded-for,9:127.0.0.1,'
        b'5:x-dup,10:1:1,3:2\\",]}0:,',
        RefusedRequest(
            request(
                "/t?a=1,2&b",
                [
                    HOST,
                    ("empty", ""),
                    ("t", "a\tb\x01\x1f\xff\xe9"),
                    ("q", 'v"1\\2\\u0041'),
                    XFF,
                    ("x-dup", "1"),
                    ("x-dup", '2\\"'),
                ],
                path="/t",
                query="a=1,2&b",
                client_id="510",
            ),
            400,
            "a control character in the value of t",
            b"",
            False,
        ),
    ),
    (
        b'json-id 514 /j 259:{"PATH":"/j","x-dup":["1","2\\\\\\""],"x-forwarded-for":"127.0.0.1",'
        b'"q":"v\\"1\\\\2\\\\u0041","t":"a\tb\x01\x1f\xff\xe9 \t ","empty":"","host":"h","METHOD":"GET",'
        b'"VERSION":"HTTP/1.1","URI":"/j?a=1,2&b","QUERY":"a=1,2&b","PATTERN":"/j","URL_SCHEME":"http",'
        b'"REMOTE_ADDR":"127.0.0.1"},0:,',
        RefusedRequest(
            request(
                "/j?a=1,2&b",
                [
                    XFF,
                    ("q", 'v"1\\2\\u0041'),
                    ("t", "a\tb\x01\x1f\xff\xe9"),
                    ("empty", ""),
                    HOST,
                    ("x-dup", "1"),
                    ("x-dup", '2\\"'),
                ],
                script_name="/j",
                query="a=1,2&b",
                server_id="json-id",
                client_id="514",
            ),
            400,
            "a control character in the value of t",
            b"",
            False,
        ),
    ),
    # Headers made to look like the end of the block.
    (
        b"srv-1 511 /t 200:11:REMOTE_ADDR,9:127.0.0.1,6:METHOD,3:GET,10:URL_SCHEME,4:http,7:PATTERN,1:/,3:URI,2:/t,"
        b'7:VERSION,8:HTTP/1.1,4:PATH,2:/t,4:host,1:h,1:z,6:],}0:,,1:q,16:","METHOD":"JSON,'
        b"15:x-forwarded-for,9:127.0.0.1,}0:,",
        HttpRequest(
            request("/t", [HOST, ("z", "],}0:,"), ("q", '","METHOD":"JSON'), XFF], path="/t", client_id="511"), 0
        ),
    ),
    (
        b'json-id 515 /j 202:{"PATH":"/j","x-forwarded-for":"127.0.0.1","q":"\\",\\"METHOD\\":\\"JSON",'
        b'"z":"],}0:,","host":"h","METHOD":"GET","VERSION":"HTTP/1.1","URI":"/j","PATTERN":"/j","URL_SCHEME":"http",'
        b'"REMOTE_ADDR":"127.0.0.1"},0:,',
        HttpRequest(
            request(
                "/j",
                [XFF, ("q", '","METHOD":"JSON'), ("z", "],}0:,"), HOST],
                script_name="/j",
                server_id="json-id",
                client_id="515",
            ),
            0,
        ),
    ),
    # GET http://a:1/t/b?q=1#f: in absolute form, which looks like a path.
    (
        b"srv-1 15 //a:1/t/b 211:11:REMOTE_ADDR,9:127.0.0.1,6:METHOD,3:GET,10:URL_SCHEME,4:http,7:PATTERN,1:/,"
        b"8:FRAGMENT,1:f,5:QUERY,3:q=1,3:URI,13://a:1/t/b?q=1,7:VERSION,8:HTTP/1.1,4:PATH,9://a:1/t/b,4:host,1:h,"
        b"15:x-forwarded-for,9:127.0.0.1,}0:,",
        HttpRequest(
            request("//a:1/t/b?q=1", [HOST, XFF], path="//a:1/t/b", query="q=1", client_id="15"),
            0,
        ),
    ),
    # An empty query, and no Host at all.
    (
        b"srv-1 16 /t 164:11:REMOTE_ADDR,9:127.0.0.1,6:METHOD,3:GET,10:URL_SCHEME,4:http,7:PATTERN,1:/,5:QUERY,0:,"
        b"3:URI,3:/t?,7:VERSION,8:HTTP/1.0,4:PATH,2:/t,15:x-forwarded-for,9:127.0.0.1,}0:,",
        HttpRequest(
            request("/t?", [XFF], path="/t", version="HTTP/1.0", server_name="localhost", client_id="16"),
            0,
        ),
    ),
    # METHODs that a client chose.
    (
        b"srv-1 17 /t 187:11:REMOTE_ADDR,9:127.0.0.1,6:METHOD,4:JSON,10:URL_SCHEME,4:http,7:PATTERN,1:/,3:URI,2:/t,"
        b"7:VERSION,8:HTTP/1.1,4:PATH,2:/t,4:host,1:h,14:content-length,2:21,15:x-forwarded-for,9:127.0.0.1,}"
        b'21:{"type":"disconnect"},',
        HttpRequest(
            request(
                "/t",
                [HOST, ("content-length", "21"), XFF],
                method="JSON",
                path="/t",
                client_id="17",
                content_length=21,
                body=b'{"type":"disconnect"}',
            ),
            0,
        ),
    ),
    (
        b'json-id 27 /j 183:{"PATH":"/j","x-forwarded-for":"127.0.0.1","flags":"0x81","host":"h","METHOD":"WEBSOCKET",'
        b'"VERSION":"HTTP/1.1","URI":"/j","PATTERN":"/j","URL_SCHEME":"http","REMOTE_ADDR":"127.0.0.1"},0:,',
        HttpRequest(
            request(
                "/j",
                [XFF, ("flags", "0x81"), HOST],
                method="WEBSOCKET",
                script_name="/j",
                server_id="json-id",
                client_id="27",
            ),
            0,
        ),
    ),
    # A line without a colon, joined with the next.
    (
        b"srv-1 13 /t 183:11:REMOTE_ADDR,9:127.0.0.1,6:METHOD,3:GET,10:URL_SCHEME,4:http,7:PATTERN,1:/,3:URI,2:/t,"
        b"7:VERSION,8:HTTP/1.1,4:PATH,2:/t,4:host,1:h,15:x-forwarded-for,9:127.0.0.1,12:nocolon\r\nx-b,1:1,}0:,",
        RefusedRequest(
            request("/t", [HOST, XFF, ("nocolon\r\nx-b", "1")], path="/t", client_id="13"),
            400,
            "a header name that is not a token: 'nocolon\\r\\nx-b'",
            b"",
            False,
        ),
    ),
    (
        b'json-id 28 /j 168:{"PATH":"/j","x-forwarded-for":"127.0.0.1","host":["h","i"],"METHOD":"GET",'
        b'"VERSION":"HTTP/1.1","URI":"/j","PATTERN":"/j","URL_SCHEME":"http","REMOTE_ADDR":"127.0.0.1"},0:,',
        RefusedRequest(
            request(
                "/j",
                [XFF, ("host", "h"), ("host", "i")],
                script_name="/j",
                server_name="localhost",
                server_id="json-id",
                client_id="28",
            ),
            400,
            "more than one Host",
            b"",
            False,
        ),
    ),
    # A big body, its client having sent x-mongrel2-upload-start and -done: five of each, then one.
    (
        b"srv-1 7 /t 340:11:REMOTE_ADDR,9:127.0.0.1,6:METHOD,4:POST,10:URL_SCHEME,4:http,7:PATTERN,1:/,3:URI,2:/t,"
        b"7:VERSION,8:HTTP/1.1,4:PATH,2:/t,23:x-mongrel2-upload-start,14:tmp/upl.vwYifR,4:host,1:h,"
        b"14:content-length,5:30000,22:x-mongrel2-upload-done,75:11:/etc/passwd,11:/etc/passwd,11:/etc/passwd,"
        b"11:/etc/passwd,11:/etc/passwd,]15:x-forwarded-for,9:127.0.0.1,}0:,",
        UploadStarted(
            request(
                "/t",
                [HOST, ("content-length", "30000"), XFF],
                method="POST",
                path="/t",
                client_id="7",
                content_length=30000,
                body_in_file=True,
            ),
            0,
            b"tmp/upl.vwYifR",
        ),
    ),
    (
        b"srv-1 7 /t 279:11:REMOTE_ADDR,9:127.0.0.1,6:METHOD,4:POST,10:URL_SCHEME,4:http,7:PATTERN,1:/,3:URI,2:/t,"
        b"7:VERSION,8:HTTP/1.1,4:PATH,2:/t,23:x-mongrel2-upload-start,14:tmp/upl.vwYifR,4:host,1:h,"
        b"14:content-length,5:30000,22:x-mongrel2-upload-done,14:tmp/upl.vwYifR,15:x-forwarded-for,9:127.0.0.1,}0:,",
        UploadDone(
            request(
                "/t",
                [HOST, ("content-length", "30000"), XFF],
                method="POST",
                path="/t",
                client_id="7",
                content_length=30000,
                body_in_file=True,
            ),
            b"tmp/upl.vwYifR",
        ),
    ),
    (
        b'json-id 14 /j 270:{"PATH":"/j","x-forwarded-for":"127.0.0.1","x-mongrel2-upload-done":"/etc/passwd",'
        b'"content-length":"30000","host":"h","x-mongrel2-upload-start":"tmp/upl.z50LgM","METHOD":"POST",'
        b'"VERSION":"HTTP/1.1","URI":"/j","PATTERN":"/j","URL_SCHEME":"http","REMOTE_ADDR":"127.0.0.1"},0:,',
        UploadStarted(
            request(
                "/j",
                [XFF, ("content-length", "30000"), HOST],
                method="POST",
                script_name="/j",
                server_id="json-id",
                client_id="14",
                content_length=30000,
                body_in_file=True,
            ),
            0,
            b"tmp/upl.z50LgM",
        ),
    ),
    (
        b"srv-1 20 /t 284:11:REMOTE_ADDR,9:127.0.0.1,6:METHOD,4:POST,10:URL_SCHEME,4:http,7:PATTERN,1:/,3:URI,2:/t,"
        b"7:VERSION,8:HTTP/1.1,4:PATH,2:/t,23:x-mongrel2-upload-start,14:tmp/upl.CNNAqL,4:host,1:h,"
        b"17:transfer-encoding,7:chunked,22:x-mongrel2-upload-done,14:tmp/upl.CNNAqL,15:x-forwarded-for,9:127.0.0.1,}0:,",
        UploadDone(
            request(
                "/t",
                [HOST, ("transfer-encoding", "chunked"), XFF],
                method="POST",
                path="/t",
                client_id="20",
                body_in_file=True,
            ),
            b"tmp/upl.CNNAqL",
        ),
    ),
    # Small requests with forged ones.
    (
        b"srv-1 7 /t 269:11:REMOTE_ADDR,9:127.0.0.1,6:METHOD,4:POST,10:URL_SCHEME,4:http,7:PATTERN,1:/,3:URI,2:/t,"
        b"7:VERSION,8:HTTP/1.1,4:PATH,2:/t,23:x-mongrel2-upload-start,11:/etc/passwd,4:host,1:h,14:content-length,1:3,"
        b"22:x-mongrel2-upload-done,11:/etc/passwd,15:x-forwarded-for,9:127.0.0.1,}3:abc,",
        HttpRequest(
            request(
                "/t",
                [HOST, ("content-length", "3"), XFF],
                method="POST",
                path="/t",
                client_id="7",
                content_length=3,
                body=b"abc",
            ),
            0,
        ),
    ),
    (
        b"srv-1 9 /t 279:11:REMOTE_ADDR,9:127.0.0.1,6:METHOD,4:POST,10:URL_SCHEME,4:http,7:PATTERN,1:/,3:URI,2:/t,"
        b"7:VERSION,8:HTTP/1.1,4:PATH,2:/t,23:x-mongrel2-upload-start,11:/etc/passwd,4:host,1:h,"
        b"17:transfer-encoding,8:chunked ,22:x-mongrel2-upload-done,11:/etc/passwd,15:x-forwarded-for,9:127.0.0.1,}0:,",
        RefusedRequest(
            request("/t", [HOST, ("transfer-encoding", "chunked "), XFF], method="POST", path="/t", client_id="9"),
            400,
            "a Transfer-Encoding that is not exactly chunked",
            b"",
            False,
        ),
    ),
    # Two Transfer-Encodings, the first of them chunked: refused, but there is a file.
    (
        b"srv-1 23 /t 295:11:REMOTE_ADDR,9:127.0.0.1,6:METHOD,4:POST,10:URL_SCHEME,4:http,7:PATTERN,1:/,3:URI,2:/t,"
        b"7:VERSION,8:HTTP/1.1,4:PATH,2:/t,23:x-mongrel2-upload-start,14:tmp/upl.gYDoOI,4:host,1:h,"
        b"17:transfer-encoding,17:7:chunked,4:gzip,]22:x-mongrel2-upload-done,14:tmp/upl.gYDoOI,"
        b"15:x-forwarded-for,9:127.0.0.1,}0:,",
        RefusedRequest(
            request(
                "/t",
                [HOST, XFF, ("transfer-encoding", "chunked"), ("transfer-encoding", "gzip")],
                method="POST",
                path="/t",
                client_id="23",
            ),
            400,
            "more than one Transfer-Encoding",
            b"tmp/upl.gYDoOI",
            True,
        ),
    ),
    # WebSockets.
    (
        b'json-id 29 /j 299:{"PATH":"/j","x-forwarded-for":"127.0.0.1","connection":"Upgrade",'
        b'"sec-websocket-version":"13","sec-websocket-key":"dGhlIHNhbXBsZSBub25jZQ==","host":"h","upgrade":"websocket",'
        b'"METHOD":"WEBSOCKET_HANDSHAKE","VERSION":"HTTP/1.1","URI":"/j","PATTERN":"/j","URL_SCHEME":"http",'
        b'"REMOTE_ADDR":"127.0.0.1"},28:s3pPLMBiTxaQ9kYGzzhZRbK+xOo=,',
        WebSocketHandshake(
            request(
                "/j",
                [
                    XFF,
                    ("connection", "Upgrade"),
                    ("sec-websocket-version", "13"),
                    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
                    HOST,
                    ("upgrade", "websocket"),
                ],
                script_name="/j",
                server_id="json-id",
                client_id="29",
            ),
            0,
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        ),
    ),
    (
        b"srv-1 20 /t 309:11:REMOTE_ADDR,9:127.0.0.1,6:METHOD,9:WEBSOCKET,10:URL_SCHEME,4:http,7:PATTERN,1:/,3:URI,"
        b"2:/t,7:VERSION,8:HTTP/1.1,4:PATH,2:/t,7:upgrade,9:websocket,4:host,1:h,17:sec-websocket-key,"
        b"24:dGhlIHNhbXBsZSBub25jZQ==,21:sec-websocket-version,2:13,10:connection,7:Upgrade,5:FLAGS,4:0x81,"
        b"15:x-forwarded-for,9:127.0.0.1,}2:hi,",
        WebSocketFrame("srv-1", "20", 0x81, b"hi"),
    ),
    (
        b'json-id 29 /j 304:{"PATH":"/j","x-forwarded-for":"127.0.0.1","FLAGS":"0x81","connection":"Upgrade",'
        b'"sec-websocket-version":"13","sec-websocket-key":"dGhlIHNhbXBsZSBub25jZQ==","host":"h","upgrade":"websocket",'
        b'"METHOD":"WEBSOCKET","VERSION":"HTTP/1.1","URI":"/j","PATTERN":"/j","URL_SCHEME":"http",'
        b'"REMOTE_ADDR":"127.0.0.1"},2:hi,',
        WebSocketFrame("json-id", "29", 0x81, b"hi"),
    ),
    # What is about a connection, and not from it.
    (b'srv-1 3 @* 16:6:METHOD,4:JSON,}21:{"type":"disconnect"},', Disconnected("srv-1", "3")),
    (b'json-id 3 @* 17:{"METHOD":"JSON"},21:{"type":"disconnect"},', Disconnected("json-id", "3")),
    (b'json-id -727379969 @* 17:{"METHOD":"JSON"},21:{"type":"disconnect"},', Disconnected("json-id", "-727379969")),
    (
        b'srv-1 2 @* 41:16:DOWNLOAD_CREDITS,2:40,6:METHOD,4:JSON,}18:{"type":"credits"},',
        Credits("srv-1", "2", 40),
    ),
    # JSON and XML sockets.
    (
        b"srv-1 30 @chat 128:11:REMOTE_ADDR,9:127.0.0.1,6:METHOD,4:JSON,10:URL_SCHEME,4:http,7:PATTERN,5:@chat,"
        b'4:PATH,5:@chat,15:x-forwarded-for,9:127.0.0.1,}13:{"type":"hi"},',
        SocketMessage("srv-1", "30", SocketKind.JSON, "@chat", "127.0.0.1", b'{"type":"hi"}'),
    ),
    (
        b"srv-1 31 <bbs 125:11:REMOTE_ADDR,9:127.0.0.1,6:METHOD,3:XML,10:URL_SCHEME,4:http,7:PATTERN,4:<bbs,"
        b"4:PATH,4:<bbs,15:x-forwarded-for,9:127.0.0.1,}19:<bbs><a>1</a></bbs>,",
        SocketMessage("srv-1", "31", SocketKind.XML, "<bbs", "127.0.0.1", b"<bbs><a>1</a></bbs>"),
    ),
    # Parts of a stream.
    (b"srv-1 2 /u 24:13:UPLOAD_STREAM,4:1000,}5:12345,", StreamPart("srv-1", "2", 1000, b"12345", False)),
    (
        b"srv-1 2 /u 51:18:UPLOAD_STREAM_DONE,1:1,13:UPLOAD_STREAM,5:26480,}4:last,",
        StreamPart("srv-1", "2", 26480, b"last", True),
    ),
]
