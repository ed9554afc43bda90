# Varnish: a cache in memory, stale answers while one request refreshes, the log in shared memory.
vcl 4.1;

backend default {
    .host = "{{.Backend.Addr}}";
    .port = "{{.Backend.Port}}";
}

sub vcl_recv {
    if (req.url == "/return") {
        return (synth(200));
    }
    if (req.url ~ "^/proxied/" || req.method == "POST") {
        return (pass);
    }
    return (hash);
}

sub vcl_backend_fetch {
    set bereq.http.X-Real-IP = client.ip;
    set bereq.http.X-Forwarded-Proto = "http";
    return (fetch);
}

sub vcl_backend_response {
    if (bereq.uncacheable || beresp.status != 200) {
        set beresp.uncacheable = true;
        set beresp.ttl = 120s;
        return (deliver);
    }
    if (bereq.url ~ "^/long/") {
        set beresp.ttl = 1h;
    } else {
        set beresp.ttl = 1s;
    }
    set beresp.grace = 1h;
    return (deliver);
}

sub vcl_deliver {
    if (obj.hits > 0) {
        set resp.http.X-Cache = "HIT";
    } else {
        set resp.http.X-Cache = "MISS";
    }
    return (deliver);
}

sub vcl_synth {
    set resp.http.Content-Type = "text/plain";
    set resp.body = {"ok
"};
    return (deliver);
}
