// The present quote over REST: TOKEN=… java docs/first-calls/First.java
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;

class First {
    public static void main(String[] arguments) throws Exception {
        String edge = System.getenv().getOrDefault("EDGE", "localhost:8080");
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://" + edge + "/v1/quote?instrument.listed.symbol=AAPL"))
            .header("authorization", "Bearer " + System.getenv("TOKEN"))
            .build();
        var reply = HttpClient.newHttpClient().send(request, BodyHandlers.ofString());
        System.out.println(reply.statusCode() + " " + reply.body());
    }
}
