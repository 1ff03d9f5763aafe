// The present quote over REST: TOKEN=… go run docs/first-calls/first.go
package main

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"os"
)

func main() {
	edge := cmp.Or(os.Getenv("EDGE"), "localhost:8080")
	request, _ := http.NewRequest("GET", "http://"+edge+"/v1/quote?instrument.listed.symbol=AAPL", nil)
	request.Header.Set("Authorization", "Bearer "+os.Getenv("TOKEN"))
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		panic(err)
	}
	defer reply.Body.Close()
	body, _ := io.ReadAll(reply.Body)
	fmt.Println(reply.StatusCode, string(body))
}
