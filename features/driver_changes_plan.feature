Feature: The driver changes plan
  Drivers abort, drive off, forget and press everything twice. No money stays behind.

  Source: EV guide, session management

  @must @R-NOS-03 @R-AMT-05 @R-SES-10
  Rule: An abort before energy flows releases the money at once

    @S-C01 @sample
    Scenario: The driver aborts on the charger's screen
      Given the driver has been authorised for connector 1
      When the driver presses cancel at connector 1
      Then the driver's session is released within 5 seconds
      And the terminal is ready for the next card

    @S-C01
    Scenario: The driver aborts before a connector is chosen
      Given the driver has been authorised
      When the driver presses cancel at connector 1
      Then the driver's session is released within 5 seconds
      And the terminal is ready for the next card

    @S-C04
    Scenario: The driver presses stop before energy flows
      Given the driver comes with the sleepy
      And the driver has been authorised
      And the driver has plugged in at connector 1
      When the driver presses stop at connector 1
      Then the driver's session is released within 5 seconds

  @must @R-NOS-01 @R-SES-11
  Rule: A driver who leaves before the approval leaves no hold

    @S-C02
    Scenario: The driver is gone when the approval comes
      Given the issuer answers after 15 seconds
      And the driver has parked at connector 1
      And the driver has tapped
      And 3 seconds have passed
      When the driver drives off from connector 1
      Then the driver's session is released within 325 seconds

  @must @R-STP-08 @R-UI-01
  Rule: A card that could not be used leaves the terminal ready

    @S-C03
    Scenario: The driver takes the card away too early
      Given the station is ready
      When the driver taps the removed early card
      Then no authorisation is attempted
      And the terminal is ready for the next card

    @S-C09 @apollo @cps
    Scenario: The terminal asks for the PIN and the driver walks off
      Given the driver pays with the pin walk off card
      And the driver has tapped
      When 4 minutes pass
      Then no session is opened
      And the terminal is ready for the next card

  @must @R-STP-01 @R-SES-04 @R-SES-14
  Rule: Leaving the bay ends the session

    @S-C05
    Scenario: The driver drives off without a tap
      Given the driver is charging at connector 1
      When the driver drives off from connector 1
      Then the driver's session is committed within 10 seconds

    @S-C10 @R-NOS-01
    Scenario: The bay is empty before a plug came, and the charger can tell
      Given the controller claims a bay sensor
      And the site has one connector
      And the driver has parked at connector 1
      And the driver has been authorised
      When the driver drives off from connector 1
      Then the driver's session is released within 10 seconds

    @S-C10 @R-NOS-01
    Scenario: The bay is empty before a plug came, and the charger cannot tell
      Given the driver has parked at connector 1
      And the driver has been authorised
      When the driver drives off from connector 1
      Then the driver's session is released within 310 seconds

    @S-C11
    Scenario: The vehicle is unplugged and stays in the bay
      Given the controller claims a bay sensor
      And the driver is charging at connector 1
      When the driver unplugs at connector 1
      Then the driver's session is committed within 10 seconds

    @S-C12 @R-SES-13
    Scenario: The bay sensor flickers while the vehicle charges
      Given the controller claims a bay sensor
      And the driver is charging at connector 1
      When the bay of connector 1 seems empty for 2 seconds
      Then energy still flows at connector 1
      And the driver's session stays open

  @must @R-STP-10 @R-EXT-01
  Rule: A parked vehicle that is full is settled within the declared bound

    @S-C06
    Scenario: The vehicle stays plugged in for two days
      Given the parked-full window is 30 minutes
      And the driver comes with the motorcycle
      And the driver is charging at connector 1
      When 48 hours pass
      Then every session is closed within 10 seconds

  @must @R-SES-09 @R-MUL-03
  Rule: Two taps in a hurry are one wish

    @S-C07
    Scenario: The driver taps twice within a second
      Given the driver has plugged in at connector 1
      When the driver taps twice within a second
      Then energy flows at connector 1 within 30 seconds
      And one session has been opened

  @should @R-RTY-06 @apollo @cps
  Rule: A driver may take the time that the terminal allows

    @S-C08
    Scenario: The driver needs three minutes for the PIN
      Given the driver pays with the pin slow card
      And the driver has plugged in at connector 1
      When the driver taps and is authorised
      Then energy flows at connector 1 within 30 seconds
