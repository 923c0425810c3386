"""Operations: what people touch. `cli/` is the command line, `demo/` shows the engine at work on one machine.

Promises that a mistake is answered by one message with the field and the fix. Trades nothing itself.
"""
