// SPDX-License-Identifier: Apache-2.0
// Label: real time (sockets)
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "api/http_server.h"
#include "api/http_test_client.h"
#include "base/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gnomon {
namespace {

using ::testing::EndsWith;

// A self-signed certificate, which is its own authority, and its key, as PEM files.
struct Certificate {
  explicit Certificate(const std::string& name)
      : cert(absl::StrCat(::testing::TempDir(), "gnomon_", name, "_", getpid(), ".pem")), key(cert + ".key") {
    EVP_PKEY* pair = EVP_EC_gen("P-256");
    X509* x509 = X509_new();
    X509_set_version(x509, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), -60);
    X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
    X509_set_pubkey(x509, pair);
    X509_NAME* subject = X509_get_subject_name(x509);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1,
                               0);
    X509_set_issuer_name(x509, subject);
    X509_sign(x509, pair, EVP_sha256());
    FILE* file = std::fopen(cert.c_str(), "w");
    PEM_write_X509(file, x509);
    std::fclose(file);
    file = std::fopen(key.c_str(), "w");
    PEM_write_PrivateKey(file, pair, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    X509_free(x509);
    EVP_PKEY_free(pair);
  }
  ~Certificate() {
    unlink(cert.c_str());
    unlink(key.c_str());
  }

  std::string cert, key;
};

// What the server answers to `text`; empty if the handshake or the server fails. `own` may be null.
std::string AskTls(const ListenAddress& address, const Certificate& trusted, const Certificate* own,
                   const std::string& text) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_load_verify_locations(context, trusted.cert.c_str(), nullptr);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  if (own != nullptr) {
    SSL_CTX_use_certificate_file(context, own->cert.c_str(), SSL_FILETYPE_PEM);
    SSL_CTX_use_PrivateKey_file(context, own->key.c_str(), SSL_FILETYPE_PEM);
  }
  TestSocket socket(address);
  SSL* ssl = SSL_new(context);
  SSL_set_fd(ssl, socket.fd());
  std::string all;
  if (SSL_connect(ssl) == 1 && SSL_write(ssl, text.data(), static_cast<int>(text.size())) > 0) {
    char buffer[4096];
    for (int got; (got = SSL_read(ssl, buffer, sizeof(buffer))) > 0;) all.append(buffer, static_cast<size_t>(got));
    SSL_shutdown(ssl);
  }
  SSL_free(ssl);
  SSL_CTX_free(context);
  return all;
}

void Describe(HttpRequest& request, HttpResponder responder) {
  const std::string body = absl::StrCat(request.peer->tls ? "tls " : "plain ", request.peer->certificate, " ",
                                        request.body.size());
  responder.Send(HttpResponse{200, body, "text/plain", {}});
}

TEST(HttpTlsTest, ARoundTripWithAndWithoutAClientCertificate) {
  const Certificate server_cert("server"), client("client"), stranger("stranger");
  HttpServerOptions options;
  options.listen.push_back(ParseListenAddress("127.0.0.1:0").value());
  options.tls_certificate = server_cert.cert;
  options.tls_key = server_cert.key;
  options.tls_client_ca = client.cert;
  HttpServer server(options, Describe);
  const absl::Status started = server.Start();
  ASSERT_TRUE(started.ok()) << started;
  const ListenAddress& address = server.addresses().front();
  const std::string get = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  EXPECT_THAT(AskTls(address, server_cert, nullptr, get), EndsWith("tls  0"));
  EXPECT_THAT(AskTls(address, server_cert, &client, get), EndsWith("tls client 0"));
  EXPECT_EQ(AskTls(address, server_cert, &stranger, get), "");
  const std::string two = "GET / HTTP/1.1\r\nHost: a\r\n\r\n" + get;
  EXPECT_THAT(AskTls(address, server_cert, nullptr, two), EndsWith("tls  0"));
  const std::string large = absl::StrCat("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 500000\r\n\r\n",
                                         std::string(500000, 'x'));
  EXPECT_THAT(AskTls(address, server_cert, nullptr, large), EndsWith("tls  500000"));
}

TEST(HttpTlsTest, PlainHttpToATlsPortGetsNoAnswer) {
  const Certificate server_cert("plain");
  HttpServerOptions options;
  options.listen.push_back(ParseListenAddress("127.0.0.1:0").value());
  options.tls_certificate = server_cert.cert;
  options.tls_key = server_cert.key;
  HttpServer server(options, Describe);
  ASSERT_TRUE(server.Start().ok());
  TestSocket socket(server.addresses().front());
  socket.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(socket.ReadAll().find("HTTP/1.1 200"), std::string::npos);
}

TEST(HttpTlsTest, AFileThatCannotBeUsedIsNamed) {
  HttpServerOptions options;
  options.listen.push_back(ParseListenAddress("127.0.0.1:0").value());
  options.tls_certificate = "/nowhere/cert.pem";
  options.tls_key = "/nowhere/key.pem";
  const absl::Status error = HttpServer(options, Describe).Start();
  EXPECT_EQ(CodeOf(error), "INVALID_TLS");
  EXPECT_EQ(PartsOf(error).field, "tls.cert");
}

}  // namespace
}  // namespace gnomon
