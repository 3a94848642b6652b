def lambda_handler(event: object, context: object) -> object: return {"statusCode": 204}
