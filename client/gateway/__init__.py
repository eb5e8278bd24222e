"""The client's end of the streaming path: channels to runners, and OpenAI's API in front of them."""
